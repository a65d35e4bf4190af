"""Utterances that a trained generator writes for the draws of the novel-intent protocol (novel_intent.py).

    python -m instructzoo.dialogue.protocols.write_utterances TRAIN TEST --model RUN -o FOLDER --intents GetWeather

The generator must not have been trained on these intents (data.options.without_intents). It sees the ten utterances of
a draw; words for slots are theirs and those of the other intents' slots of the same names. FOLDER/INTENT-SEED.jsonl
holds what passed the checks, as own data, and FOLDER/counts.json how much was rejected, and why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.data import write_jsonl
from instructzoo.core.errors import ZooError, suggest
from instructzoo.dialogue.data.leave_one_out import PromptRules
from instructzoo.dialogue.protocols.novel_intent_data import ByIntent, Draw, Setup, draw, read_parts
from instructzoo.dialogue.synthesis.filters import Checks
from instructzoo.dialogue.synthesis.generation import AnswerRows, Generated, generate_utterances, utterance_line
from instructzoo.dialogue.synthesis.requests import slot_values


def write_for(one: Draw, answer: AnswerRows, n: int, check_language: bool = True) -> Generated:
    """Utterances of a draw's novel intent.

    Args:
        one: The draw.
        answer: The generator.
        n: Number of utterances.
        check_language: Whether to reject utterances in another language than English.

    Returns:
        The utterances, and how many were rejected.
    """
    own_slots = slot_values(one.shots)
    words = {slot: values for slot, values in slot_values(one.others).items() if slot in own_slots}
    checks = Checks((), check_language)
    return generate_utterances(answer, one.intent, one.shots, words, n, rules=PromptRules(seed=one.seed), checks=checks)


def write_all(by_intent: ByIntent, answer: AnswerRows, folder: Path, intents: Sequence[str], options: Any) -> None:
    """Write the files of all draws.

    Args:
        by_intent: Training utterances by intent.
        answer: The generator.
        folder: The folder to write.
        intents: The novel intents.
        options: seeds, n and any_language of the command line.

    Raises:
        ZooError: The file has no such intent, or too few utterances.
    """
    setup = Setup()
    counts: dict[str, dict[str, Any]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for intent in intents:
        if intent not in by_intent:
            raise ZooError(f'the intent "{intent}"', suggest(intent, by_intent), where="--intents")
        for seed in range(options.seeds):
            one = draw(by_intent, intent, seed, setup)
            generated = write_for(one, answer, options.n, not options.any_language)
            name = f"{intent}-{seed}"
            write_jsonl(folder / f"{name}.jsonl", map(utterance_line, generated.utterances))
            counts[name] = {
                "written": len(generated.utterances),
                "requests": generated.requests,
                "rejected": dict(generated.rejected),
            }
            runs.write_json(folder / "counts.json", counts)
            sys.stdout.write(f"{name}: {counts[name]}\n")
            sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    from instructzoo.core.infer import open_model

    parser = argparse.ArgumentParser(prog="python -m instructzoo.dialogue.protocols.write_utterances")
    parser.add_argument("train", type=Path, help="training utterances")
    parser.add_argument("test", type=Path, help="test utterances, whose words are left out of training")
    parser.add_argument("--model", required=True, help="the generator: a run of dialogue/linguist, or a folder")
    parser.add_argument("--intents", nargs="+", required=True, help="the novel intents")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-n", type=int, default=Setup.others // 2, help="utterances of each draw")
    parser.add_argument("--any-language", action="store_true", help="do not check the language")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to write")
    options = parser.parse_args(arguments)
    try:
        predictor = open_model(domains.get("dialogue"), options.model)
        write_all(
            read_parts(options.train, options.test)[0], predictor.answer, options.output, options.intents, options
        )
    except ZooError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
