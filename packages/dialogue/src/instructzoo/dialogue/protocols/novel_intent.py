"""The novel-intent protocol of LINGUIST (arXiv:2209.09900): each intent in turn has ten utterances, the others many.

    python -m instructzoo.dialogue.protocols.novel_intent snips/train snips/dev --json results.json --seeds 3

A tagger (synthesis/tagger.py) learns from the real utterances alone; with the ten repeated, so that the novel intent
has as many as the others; and with generated utterances in place of half of the repetitions. All taggers take as many
updates. Reported are the recall of the novel intent and the slot F1 of its utterances, and, to see that nothing else
becomes worse, intent accuracy and slot F1 of all test utterances. A call that was interrupted continues its file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.score.tuple_f1 import count_tuples
from instructzoo.dialogue.protocols.novel_intent_data import (
    REAL,
    RECOMBINED,
    UPSAMPLED,
    ByIntent,
    Draw,
    Generator,
    Setup,
    draw,
    read_parts,
    recombined,
    training_utterances,
    written_utterances,
)
from instructzoo.dialogue.synthesis.tagger import Tagger, TaggerSettings, train_tagger


@dataclass(frozen=True)
class Run:
    """One tagger and its scores, as fractions; `generated` counts the generated utterances that it learnt from."""

    intent: str
    seed: int
    condition: str
    generated: int
    novel_recall: float
    novel_slot_f1: float
    accuracy: float
    slot_f1: float
    n_novel: int
    n: int


def score(tagger: Tagger, test: ByIntent, intent: str) -> dict[str, float]:
    """Scores of a tagger on test utterances: those of the novel intent, and all.

    A slot is right if its name and its place in the text are. An utterance's slots count whatever its intent is said
    to be.

    Args:
        tagger: The tagger.
        test: Test utterances by intent.
        intent: The novel intent.

    Returns:
        The scores by the names that Run gives them.
    """
    turns = [turn for utterances in test.values() for turn in utterances]
    answers = [answer.turn for answer in tagger.tag([turn.text for turn in turns])]
    right = [answer.intent == turn.intent for answer, turn in zip(answers, turns, strict=True)]
    counts = count_tuples(*([[(s.name, s.start, s.end) for s in t.slots or ()] for t in ts] for ts in (turns, answers)))
    novel = [index for index, turn in enumerate(turns) if turn.intent == intent]
    of_novel = counts.select(novel)
    return {
        "novel_recall": sum(right[index] for index in novel) / len(novel),
        "novel_slot_f1": _f1(of_novel.hits.sum(), of_novel.predicted.sum() + of_novel.gold.sum()),
        "accuracy": sum(right) / len(turns),
        "slot_f1": _f1(counts.hits.sum(), counts.predicted.sum() + counts.gold.sum()),
    }


def run_one(one: Draw, condition: str, generate: Generator | None, test: ByIntent, setup: Setup) -> Run:
    """Train and score one tagger.

    Args:
        one: Its real utterances.
        condition: REAL, UPSAMPLED, or the name of the generator.
        generate: The generator of a condition that has one.
        test: Test utterances by intent.
        setup: The experiment.

    Returns:
        The run.
    """
    generated = generate(one, setup.others // 2) if generate else []
    utterances = training_utterances(one, condition, generated, setup.others)
    tagger = train_tagger(utterances, TaggerSettings(updates=setup.updates), one.seed)
    used = min(len(generated), setup.others // 2)
    counts = {"n_novel": len(test[one.intent]), "n": sum(map(len, test.values()))}
    return Run(one.intent, one.seed, condition, used, **score(tagger, test, one.intent), **counts)  # type: ignore[arg-type]


def run_all(
    train: ByIntent,
    test: ByIntent,
    file: Path,
    generators: Mapping[str, Generator | None],
    intents: Sequence[str],
    seeds: int,
    setup: Setup,
) -> Iterator[Run]:
    """Run what a file of results lacks, and write it after each run.

    Args:
        train: Training utterances by intent.
        test: Test utterances by intent.
        file: The file of results, JSON.
        generators: The conditions; None where a condition has no generator.
        intents: The novel intents.
        seeds: Number of seeds, from 0 on.
        setup: The experiment.

    Yields:
        The new runs.

    Raises:
        ZooError: The file holds runs of another setup, or there is no such intent in train or test.
    """
    stored: dict[str, Any] = runs.read_json(file) if file.is_file() else {"setup": asdict(setup), "runs": []}
    if stored["setup"] != asdict(setup):
        raise ZooError(f"results of {stored['setup']}", f"those of {asdict(setup)}", "name another file", str(file))
    if unknown := [intent for intent in intents if intent not in train]:
        raise ZooError(f'the intent "{unknown[0]}"', suggest(unknown[0], train), where="--intents")
    if missing := [intent for intent in intents if intent not in test]:
        raise ZooError(f"no test utterance of {missing[0]}", "some of each intent", "name another file")
    done = {(one["intent"], one["seed"], one["condition"]) for one in stored["runs"]}
    for seed, intent, condition in product(range(seeds), intents, generators):
        if (intent, seed, condition) in done:
            continue
        run = run_one(draw(train, intent, seed, setup), condition, generators[condition], test, setup)
        stored["runs"].append(asdict(run))
        runs.write_json(file, stored)
        yield run


def _f1(hits: float, total: float) -> float:
    return 2 * float(hits) / float(total) if total else 1.0


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m instructzoo.dialogue.protocols.novel_intent", description=__doc__)
    parser.add_argument("train", type=Path, help="training utterances")
    parser.add_argument("test", type=Path, help="test utterances")
    parser.add_argument("--json", type=Path, required=True, help="file of results to write or to continue")
    parser.add_argument("--generated", type=Path, nargs="*", default=[], help="folders of written utterances")
    parser.add_argument("--intents", nargs="*", default=[], help="novel intents; none: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--others", type=int, default=Setup.others, help="utterances of each other intent")
    parser.add_argument("--updates", type=int, default=Setup.updates, help="updates of each tagger")
    options = parser.parse_args(arguments)
    try:
        _run_command(options)
    except ZooError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _run_command(options: Any) -> None:
    train, test = read_parts(options.train, options.test)
    generators: dict[str, Generator | None] = {REAL: None, UPSAMPLED: None, RECOMBINED: recombined}
    generators |= {folder.name: written_utterances(folder) for folder in options.generated}
    setup = Setup(others=options.others, updates=options.updates)
    for run in run_all(train, test, options.json, generators, options.intents or list(train), options.seeds, setup):
        sys.stdout.write(
            f"{run.intent} seed {run.seed}, {run.condition}: recall {run.novel_recall:.3f}, slot F1 "
            f"{run.novel_slot_f1:.3f}; all: accuracy {run.accuracy:.3f}, slot F1 {run.slot_f1:.3f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
