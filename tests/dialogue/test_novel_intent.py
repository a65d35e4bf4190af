"""The novel-intent protocol, its runs and its tables."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pytest

from instructzoo.core import ZooError, runs
from instructzoo.core.data import write_jsonl
from instructzoo.core.record import Row
from instructzoo.dialogue.protocols import novel_intent, novel_intent_tables, write_utterances
from instructzoo.dialogue.protocols.novel_intent import run_all
from instructzoo.dialogue.protocols.novel_intent_data import (
    REAL,
    RECOMBINED,
    UPSAMPLED,
    Generator,
    Setup,
    draw,
    read_parts,
    read_utterances,
    recombined,
    training_utterances,
)
from instructzoo.dialogue.schema import Slot, Turn
from instructzoo.dialogue.synthesis.generation import utterance_line
from instructzoo.dialogue.synthesis.recombination import recombine

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "dialogue" / "novel_intent"
SETUP = Setup(shots=3, others=12, updates=2)
FORMS = {"GetWeather": "how is it in {} today", "FindTrain": "a train to {} please", "PlayMusic": "play songs of {}"}
NAMES = [f"{first}{second}" for first in ("Bo", "Ka", "Lu", "Mi") for second in ("ra", "to", "ni", "sel", "den", "vik")]


def corpus(names: list[str]) -> dict[str, list[Turn]]:
    made: dict[str, list[Turn]] = {}
    for intent, form in FORMS.items():
        start = form.index("{")
        for name in names:
            slot = Slot("artist" if intent == "PlayMusic" else "city", name, start, start + len(name))
            made.setdefault(intent, []).append(Turn("user", form.format(name), intent, slots=(slot,)))
    return made


TRAIN, TEST = corpus(NAMES), corpus(["Osa", "Pel"])


def test_a_draw_depends_on_seed_and_intent_alone_and_holds_few_utterances_of_the_novel_intent() -> None:
    one = draw(TRAIN, "GetWeather", 0, SETUP)
    assert one == draw(TRAIN, "GetWeather", 0, SETUP)
    assert one.shots != draw(TRAIN, "GetWeather", 1, SETUP).shots
    assert [turn.intent for turn in one.shots] == ["GetWeather"] * 3
    assert {turn.intent for turn in one.others} == {"FindTrain", "PlayMusic"}
    assert len(one.others) == 24


def test_all_conditions_but_real_only_have_as_many_utterances_of_the_novel_intent() -> None:
    one = draw(TRAIN, "GetWeather", 0, SETUP)
    generated = recombined(one, 50)
    by_condition = {name: training_utterances(one, name, generated, 12) for name in (REAL, UPSAMPLED, RECOMBINED)}
    counts = {name: sum(t.intent == "GetWeather" for t in turns) for name, turns in by_condition.items()}
    assert counts == {REAL: 3, UPSAMPLED: 12, RECOMBINED: 12}
    texts = {name: {t.text for t in turns if t.intent == "GetWeather"} for name, turns in by_condition.items()}
    assert len(texts[UPSAMPLED]) == 3
    assert len(texts[RECOMBINED]) == 3 + 6
    assert texts[REAL] == texts[UPSAMPLED] < texts[RECOMBINED]


def test_recombined_utterances_take_words_of_their_own_slots_and_keep_the_sentence() -> None:
    one = draw(TRAIN, "GetWeather", 0, SETUP)
    written = recombined(one, 10)
    assert len({turn.text for turn in written}) == len(written) > 3
    trains = {slot.value for turn in one.others if turn.intent == "FindTrain" for slot in turn.slots or ()}
    own = {slot.value for turn in one.shots for slot in turn.slots or ()}
    for turn in written:
        (slot,) = turn.slots or ()
        assert turn.text == FORMS["GetWeather"].format(slot.value)
        assert turn.text[slot.start : slot.end] == slot.value
        assert slot.value in trains | own
    assert recombine(one.shots, {}, 5, 0) == []
    assert recombine([], {}, 5, 0) == []


def test_a_file_of_results_is_continued_and_no_run_is_repeated(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    generators: dict[str, Generator | None] = {REAL: None, RECOMBINED: recombined}
    some = run_all(TRAIN, TEST, file, generators, ["GetWeather"], 2, SETUP)
    first = [next(some) for _ in range(3)]
    rest = list(run_all(TRAIN, TEST, file, generators, ["GetWeather"], 2, SETUP))
    assert [(run.seed, run.condition) for run in [*first, *rest]] == [
        (0, REAL), (0, RECOMBINED), (1, REAL), (1, RECOMBINED),
    ]  # fmt: skip
    assert len(runs.read_json(file)["runs"]) == 4
    assert (first[0].n_novel, first[0].n, first[0].generated, first[1].generated) == (2, 6, 0, 6)
    with pytest.raises(ZooError, match="name another file"):
        list(run_all(TRAIN, TEST, file, generators, ["GetWeather"], 2, Setup()))


def test_scores_are_those_of_the_novel_intent_and_of_all() -> None:
    class Fixed:
        """Right on all but the intent of one utterance and the slots of all trains."""

        def tag(self, texts: list[str]) -> list[object]:
            answers = []
            for turn in (turn for turns in TEST.values() for turn in turns):
                intent = "PlayMusic" if turn.text == TEST["GetWeather"][0].text else turn.intent
                slots = () if turn.intent == "FindTrain" else turn.slots
                answers.append(type("Tagged", (), {"turn": Turn("user", turn.text, intent, slots=slots)})())
            return answers

    scores = novel_intent.score(Fixed(), TEST, "GetWeather")  # type: ignore[arg-type]
    assert scores["novel_recall"] == 0.5
    assert scores["novel_slot_f1"] == 1
    assert scores["accuracy"] == pytest.approx(5 / 6)
    assert scores["slot_f1"] == pytest.approx(2 * 4 / (4 + 6))
    assert novel_intent.score(Fixed(), TEST, "FindTrain")["novel_slot_f1"] == 0  # type: ignore[arg-type]


def test_the_command_reads_files_of_utterances_and_what_a_model_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in (("train", TRAIN), ("test", TEST)):
        write_jsonl(tmp_path / f"{name}.jsonl", (utterance_line(turn) for turns in data.values() for turn in turns))
    (tmp_path / "model").mkdir()
    written = [Turn("user", f"weather number {n}", "GetWeather", slots=()) for n in range(9)]
    write_jsonl(tmp_path / "model" / "GetWeather-0.jsonl", map(utterance_line, written))
    arguments = [str(tmp_path / "train.jsonl"), str(tmp_path / "test.jsonl"), "--json", str(tmp_path / "r.json")]
    arguments += ["--seeds", "1", "--others", "12", "--updates", "1", "--intents", "GetWeather"]
    assert novel_intent.main([*arguments, "--generated", str(tmp_path / "model")]) == 0
    assert [run["condition"] for run in runs.read_json(tmp_path / "r.json")["runs"]] == [
        REAL, UPSAMPLED, RECOMBINED, "model",
    ]  # fmt: skip
    assert runs.read_json(tmp_path / "r.json")["runs"][3]["generated"] == 6
    assert "GetWeather seed 0, model: recall" in capsys.readouterr().out
    assert novel_intent.main([*arguments, "--intents", "GetWaether"]) == 2
    assert "GetWeather" in capsys.readouterr().err


def test_a_generator_writes_for_the_draws_with_words_of_shared_slots() -> None:
    one = draw(TRAIN, "GetWeather", 0, SETUP)
    generated = write_utterances.write_for(one, lambda rows: ["go to [1 Narnia ]"] * len(rows), 3)
    assert generated.requests == 9
    prompts: list[str] = []
    write_utterances.write_for(one, lambda rows: [prompts.append(row["input"]) or "" for row in rows], 5)
    included = {line.split(" [LABELS]")[0].split("[INCLUDE]")[1] for line in prompts}
    assert len(included) > 3
    assert all("artist" not in prompt for prompt in prompts)


def test_what_a_generator_writes_is_a_file_for_each_draw_with_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_utterances, "Setup", lambda: SETUP)

    def answer(rows: Sequence[Row], /) -> list[str]:
        wishes = [row["input"].split("[INCLUDE] ")[1].split(" [LABELS]")[0] for row in rows]
        return [f"{number} weather {wish}".replace("*", f"Town{number}") for number, wish in enumerate(wishes)]

    options = argparse.Namespace(seeds=2, n=2, any_language=True)
    write_utterances.write_all(TRAIN, answer, tmp_path / "out", ["GetWeather"], options)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "GetWeather-0.jsonl", "GetWeather-1.jsonl", "counts.json",
    }  # fmt: skip
    counts = runs.read_json(tmp_path / "out" / "counts.json")
    assert [counts[f"GetWeather-{seed}"]["written"] for seed in (0, 1)] == [2, 2]
    (written,) = read_utterances(tmp_path / "out" / "GetWeather-1.jsonl").values()
    assert len(written) == 2


def stored(condition: str, recall: tuple[float, float]) -> list[dict[str, object]]:
    return [
        {
            "intent": "GetWeather", "seed": seed, "condition": condition, "generated": 0, "novel_recall": value,
            "novel_slot_f1": 0.5, "accuracy": 0.9, "slot_f1": 0.7, "n_novel": 2, "n": 6,
        }
        for seed, value in enumerate(recall)
    ]  # fmt: skip


def test_tables_have_means_with_intervals_and_paired_gains() -> None:
    found = stored(UPSAMPLED, (0.4, 0.6)) + stored("model", (0.5, 0.7))
    scores = novel_intent_tables.scores_table(found)
    assert scores.rows[0][:3] == (UPSAMPLED, "0", "50.0 [0.0, 100.0]")
    gains = novel_intent_tables.gains_table(found)
    assert gains.rows == ((f"model against {UPSAMPLED}", "10 [10, 10]", "0 [0, 0]", "0 [0, 0]", "0 [0, 0]", "2"),)
    assert novel_intent_tables.intents_table(found).rows == (("GetWeather", "50.0", "60.0", "50.0", "50.0"),)


@pytest.mark.parametrize("page", sorted(RESULTS.glob("*.md")), ids=lambda page: page.name)
def test_the_tables_of_the_results_are_those_of_their_files(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    places = list(novel_intent_tables.PLACE.finditer(text))
    assert places
    for place in places:
        table = novel_intent_tables.table(page.parent, place["name"]).markdown().replace("---:", "---")
        assert table in place.group(), f"python -m instructzoo.dialogue.protocols.novel_intent_tables {page}"


def test_no_training_utterance_has_the_words_of_a_test_utterance(tmp_path: Path) -> None:
    shouted = [Turn("user", f"{turn.text.upper()}!", turn.intent, slots=()) for turn in TEST["GetWeather"]]
    write_jsonl(tmp_path / "train.jsonl", map(utterance_line, [*TRAIN["GetWeather"], *shouted]))
    write_jsonl(tmp_path / "test.jsonl", map(utterance_line, TEST["GetWeather"]))
    train, test = read_parts(tmp_path / "train.jsonl", tmp_path / "test.jsonl")
    assert (train, test) == ({"GetWeather": TRAIN["GetWeather"]}, {"GetWeather": TEST["GetWeather"]})


def test_utterances_are_read_once_and_must_have_intent_and_slots(tmp_path: Path) -> None:
    twice = [*TEST["GetWeather"], TEST["GetWeather"][0]]
    write_jsonl(tmp_path / "a.jsonl", map(utterance_line, twice))
    assert read_utterances(tmp_path / "a.jsonl") == {"GetWeather": TEST["GetWeather"]}
    write_jsonl(tmp_path / "b.jsonl", [{"text": "hello", "intent": "greet"}])
    with pytest.raises(ZooError, match="no utterance with intent and slots"):
        read_utterances(tmp_path / "b.jsonl")
