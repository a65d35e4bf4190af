"""zoo synth dialogue: labelled utterances that a teacher writes for own intents, or translates into another language.

    zoo synth dialogue -o FOLDER --teacher openai:MODEL@URL examples=mine.jsonl n=100
    zoo synth dialogue -o FOLDER --teacher openai:MODEL@URL examples=mine.jsonl task=translate language=German

FOLDER contains journal.jsonl (the response cache: a call that was interrupted repeats no request) and train.jsonl, own
data that recipes read with data.sources=[own] data.path=FOLDER/train.jsonl. The prompt in five blocks is after LINGUIST
(arXiv:2209.09900); its exact tokens are this package's own (prompts/linguist_format.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from instructzoo.core import recipe, runs
from instructzoo.core.data import write_jsonl
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.synth import CachedTeacher, Teacher, TeacherSettings, with_cache
from instructzoo.core.terminal.progress import Counter as ProgressCounter
from instructzoo.dialogue.data import readers
from instructzoo.dialogue.data.leave_one_out import PromptRules
from instructzoo.dialogue.prompts.linguist_format import MOST_EXAMPLES
from instructzoo.dialogue.schema import Turn
from instructzoo.dialogue.synthesis.filters import Checks, language_code
from instructzoo.dialogue.synthesis.generation import (
    Generated,
    cached_answers,
    generate_utterances,
    utterance_line,
    with_places,
)
from instructzoo.dialogue.synthesis.requests import slot_values
from instructzoo.dialogue.synthesis.translation import translate_utterances

UNREAD = "nobody has read them: look at the utterances before you train on them"


class TeacherOptions(TeacherSettings):
    """How the teacher generates."""

    temperature: float = Field(1.0, ge=0, le=2, description="sampling temperature; 0: greedy")


class Settings(recipe.Settings):
    """Settings of the pipeline."""

    teacher: TeacherOptions = Field(TeacherOptions(), description="how the teacher generates")
    examples: str = Field(..., description="file of utterances with intents and slots, in a format that `own` reads")
    task: Literal["generate", "translate"] = Field(
        "generate", description="write new utterances of the examples' intents, or translate the examples"
    )
    intents: tuple[str, ...] = Field((), description="intents of the file to work on; empty: all")
    language: str = Field("English", description="language of what is written, in English")
    n: int = Field(100, ge=1, description="utterances to write for each intent; a larger number continues a call")
    requests: int = Field(3, ge=1, description="requests for each of them at most, since answers may be rejected")
    shown: int = Field(MOST_EXAMPLES, ge=1, le=MOST_EXAMPLES, description="examples in a prompt at most")
    given: float = Field(0.6, ge=0, le=1, description="share of slots whose words the prompt gives")
    values: dict[str, tuple[str, ...]] = Field({}, description="by slot, words that it may have, besides the file's")
    check_language: bool = Field(True, description="reject utterances that are surely of another language")
    agreement: bool = Field(False, description="reject utterances that a tagger of the examples misunderstands")
    seed: int = Field(0, ge=0, lt=2**32, description="seed of all draws")


def build(settings: Settings, teacher: Teacher, folder: Path, quiet: bool = False) -> dict[str, Any]:
    """Run the pipeline in `folder`; no request that its cache answers is repeated.

    Args:
        settings: The pipeline's settings.
        teacher: The teacher.
        folder: The output folder.
        quiet: Show no progress.

    Returns:
        {"kept": utterances by intent, "rejected": counts by reason, "asked" and "found": answers requested now and
        taken from the cache, "notes"}.

    Raises:
        ZooError: The examples or a setting are wrong, or another process works in the folder.
    """
    from filelock import FileLock, Timeout

    language_code(settings.language)
    utterances = _utterances(settings)
    with runs.disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".synth.lock", timeout=0):
            return _build(
                settings, utterances, with_cache(teacher, folder / "journal.jsonl", settings.teacher), folder, quiet
            )
    except Timeout as error:
        raise ZooError(f"another process writes {folder}", "one at a time", "wait for it") from error


def _build(
    settings: Settings, utterances: Mapping[str, Sequence[Turn]], teacher: CachedTeacher, folder: Path, quiet: bool
) -> dict[str, Any]:
    checks = _checks(settings, utterances)
    results: dict[str, Generated] = {}
    with ProgressCounter("intents", quiet) as progress:
        for intent, examples in utterances.items():
            results[intent] = _work_on(intent, examples, settings, teacher, checks)
            progress.update(len(results))
    write_jsonl(folder / "train.jsonl", (utterance_line(turn) for one in results.values() for turn in one.utterances))
    kept = {intent: len(one.utterances) for intent, one in results.items()}
    notes = [UNREAD]
    if settings.task == "generate" and (few := [f"{intent} {n}" for intent, n in kept.items() if n < settings.n]):
        notes.insert(0, f"fewer than {settings.n} passed for {', '.join(few)}")
    rejected = sum((one.rejected for one in results.values()), Counter[str]())
    answers = {"asked": teacher.requested_count, "found": teacher.cached_count}
    return {"kept": kept, "rejected": dict(rejected), **answers, "notes": notes}


def _work_on(
    intent: str, examples: Sequence[Turn], settings: Settings, teacher: CachedTeacher, checks: Checks
) -> Generated:
    """What the teacher writes for one intent."""
    if settings.task == "translate":
        return translate_utterances(teacher, examples, settings.language, checks)
    own_slots = slot_values(examples)
    return generate_utterances(
        cached_answers(teacher),
        intent,
        examples,
        {slot: values for slot, values in settings.values.items() if slot in own_slots},
        settings.n,
        settings.language,
        PromptRules(settings.shown, settings.given, seed=settings.seed),
        checks,
        settings.requests * settings.n,
    )


def _utterances(settings: Settings) -> dict[str, list[Turn]]:
    """The utterances of the file by intent, those of the intents that the settings name."""
    by_intent: dict[str, list[Turn]] = {}
    path = Path(settings.examples).expanduser()
    for dialogue in readers.read_file(path):
        for turn in dialogue.turns:
            if turn.intent:
                by_intent.setdefault(turn.intent, []).append(with_places(turn))
    if not by_intent:
        raise ZooError("no utterance with an intent", "some", "annotate them", str(path))
    if unknown := [intent for intent in settings.intents if intent not in by_intent]:
        raise ZooError(f'no utterance of "{unknown[0]}"', suggest(unknown[0], by_intent), where="intents")
    known_slots = {slot for turns in by_intent.values() for slot in slot_values(turns)}
    if strange := [slot for slot in settings.values if slot not in known_slots]:
        raise ZooError(f'no utterance names the slot "{strange[0]}"', suggest(strange[0], known_slots), where="values")
    return {intent: by_intent[intent] for intent in settings.intents or by_intent}


def _checks(settings: Settings, utterances: Mapping[str, Sequence[Turn]]) -> Checks:
    """The checks of the settings; with `agreement`, a tagger learns from the examples first."""
    from instructzoo.dialogue.synthesis.tagger import train_tagger

    everything = [turn for turns in utterances.values() for turn in turns]
    known = [turn.text for turn in everything]
    if not settings.agreement:
        return Checks(known, settings.check_language)
    if len(utterances) < 2 or settings.task == "translate":
        raise ZooError("agreement with fewer than two intents, or in translation", "several intents to tell apart")
    return Checks(known, settings.check_language, train_tagger(everything, seed=settings.seed))
