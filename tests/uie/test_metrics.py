"""The scorers against known flaws of such scorers: every degenerate system has a score that is known exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.uie import metrics, prompts, sources, world
from instructzoo.uie.schema import Annotation, Event, Labels, Mention, Relation

TEXT = "Ann met Bo in Oslo; Ann left Oslo."
ANN, BO = Mention("person", "Ann", 0, 3), Mention("person", "Bo", 8, 10)
OSLO, ANN2, OSLO2 = Mention("city", "Oslo", 14, 18), Mention("person", "Ann", 20, 23), Mention("city", "Oslo", 29, 33)
MET = Event("meeting", Mention("", "met", 4, 7), (Mention("who", "Ann", 0, 3), Mention("who", "Bo", 8, 10)))
LEFT = Event(
    "departure", Mention("", "left", 24, 28), (Mention("who", "Ann", 20, 23), Mention("place", "Oslo", 29, 33))
)
ANNOTATION = Annotation(
    (ANN, BO, OSLO, ANN2, OSLO2),
    (Relation("knows", ANN, BO), Relation("was in", BO, OSLO)),
    (MET, LEFT),
)
OFFERED = {
    "ner": Labels(("person", "city", "river")),
    "re": Labels(("knows", "was in")),
    "ee": Labels(("meeting", "departure"), ("who", "place")),
    "eea": Labels(("who", "place")),
}


def row(task: str, annotation: Annotation = ANNOTATION, dataset: str = "a", text: str = TEXT) -> Row:
    main_task = {"es": "ner", "et": "ner", "ep": "re", "epr": "re", "eet": "ee"}.get(task, task)
    event = "meeting" if task == "eea" else ""
    return prompts.make_row(
        text, annotation, task, OFFERED[main_task], dataset, 0, source="x", licence="y", event=event
    )


ROWS = [row(task) for task in ("ner", "re", "ee", "es", "et", "ep", "epr", "eet", "eea")]
EMPTY = [row(task, Annotation()) for task in ("ner", "re", "ee", "es", "ep", "eet")]


def value(rows: list[Row], answers: list[str], metric: str = "F1", group: str = "all", scorer: str = "strict") -> float:
    figure = metrics.score(rows, answers, scorer).get(metric, group)
    assert figure
    return figure.value


def test_gold_answers_of_every_task_score_one() -> None:
    for scorer in metrics.SCORERS:
        for gold_row in (*ROWS, *EMPTY):
            assert value([gold_row], [gold_row["output"]], scorer=scorer) == 1
            assert metrics.correct([gold_row], [gold_row["output"]], scorer) == [True]


@pytest.mark.parametrize("scorer", metrics.SCORERS)
@pytest.mark.parametrize(
    "text", ["", " \n", "e", "None", "none", "None; None", "entity: None", ":", ";", "()", "{}", '"']
)
def test_an_answer_that_names_nothing_scores_zero(text: str, scorer: str) -> None:
    rows = [*ROWS, *EMPTY]
    assert value(rows, [text] * len(rows), scorer=scorer) == 0
    assert not any(metrics.correct(ROWS, [text] * len(ROWS), scorer))


@pytest.mark.parametrize("scorer", metrics.SCORERS)
def test_a_correct_none_is_a_correct_row_but_no_hit(scorer: str) -> None:
    """Four right Nones beside one row with entities are no hits, though each is the right answer to its row."""
    rows = [row("ner"), *[row("ner", Annotation(), text=f"Nothing {n}.") for n in range(4)]]
    assert value(rows, ["None"] * 5, scorer=scorer) == 0
    assert metrics.correct(rows, ["None"] * 5, scorer) == [False, True, True, True, True]
    assert value(rows, ["None"] * 5, scorer="instructuie-legacy") == pytest.approx(2 * 4 / (5 + 4 + 3))  # three strings


@pytest.mark.parametrize("scorer", metrics.SCORERS)
def test_an_invalid_answer_is_wrong_even_where_gold_is_empty(scorer: str) -> None:
    assert metrics.correct(EMPTY, ["", "e", "(", "a: b", "x", ":"], scorer) == [False] * 6


@pytest.mark.parametrize(
    ("answer", "hits", "predicted"),
    [
        ("person: Ann; person: Bo; city: Oslo; person: Ann; city: Oslo", 5, 5),
        ("person: Ann; person: Bo; city: Oslo", 3, 3),
        ("person: Ann; person: Ann; person: Ann; person: Ann", 2, 4),  # the third has no further place
        ("person: An; person: nn; city: Osl", 0, 3),
        ("person: ann; city: OSLO", 0, 2),
        ("city: Ann; person: Oslo", 0, 2),
        ("river: Oslo", 0, 1),
        ("People: Ann", 0, 1),
        ("person: Ann met Bo", 0, 1),
        ("person: Cy; person: Bo", 1, 2),
        ("person: Ann, Bo", 0, 0),  # no form
    ],
)
def test_a_span_hits_only_whole_in_its_case_and_once_per_occurrence(answer: str, hits: int, predicted: int) -> None:
    for scorer in metrics.SCORERS:
        assert value([ROWS[0]], [answer], scorer=scorer) == pytest.approx(2 * hits / (predicted + 5))
        assert value([ROWS[0]], [answer], "precision", scorer=scorer) == pytest.approx(
            hits / predicted if predicted else 0
        )


def test_strict_compares_span_offsets_and_multiset_does_not() -> None:
    annotation = Annotation((Mention("person", "Oslo", 14, 18), Mention("city", "Oslo", 29, 33)))
    swapped = "city: Oslo; person: Oslo"
    assert value([row("ner", annotation)], [swapped]) == 0
    assert value([row("ner", annotation)], [swapped], scorer="multiset") == 1


def test_a_gold_span_placed_elsewhere_by_the_rule_is_a_hit_and_counted() -> None:
    gold_row = row("ner", Annotation((ANN2,)))
    scores = metrics.score([gold_row], [gold_row["output"]], "strict")
    assert (scores.headline_value().value, scores.counts["true spans placed elsewhere by the rule"]) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "hits"),
    [
        ("knows: Ann, Bo; was in: Bo, Oslo", 2),
        ("knows: Bo, Ann; was in: Oslo, Bo", 0),
        ("was in: Ann, Bo; knows: Bo, Oslo", 0),
        ("knows: Ann, Bo; was in: Bo, Paris", 1),
    ],
)
def test_a_relation_hits_only_with_its_type_and_direction(answer: str, hits: int) -> None:
    assert value([ROWS[1]], [answer], group="re") == hits / 2


def test_triggers_and_arguments_hit_only_with_their_event_type() -> None:
    ee_row = row("ee")
    swapped = "(departure: met, who: Ann, who: Bo), (meeting: left, who: Ann, place: Oslo)"
    assert value([ee_row], [swapped], group="ee trigger") == 0
    # the meeting of the answer has one of its two: Ann; so has the departure, though not Bo
    assert value([ee_row], [swapped], group="ee argument") == pytest.approx(2 * 2 / 8)
    roles = "(meeting: met, place: Ann, who: Bo), (departure: left)"
    assert value([ee_row], [roles], group="ee trigger") == 1
    assert value([ee_row], [roles], group="ee argument") == pytest.approx(2 * 1 / (2 + 4))


def test_eet_is_scored_per_trigger_and_per_answer_by_the_legacy_scorer() -> None:
    eet_row = row("eet")
    assert value([eet_row], ["meeting: met; departure: met"], group="eet") == 0.5
    accuracy = metrics.score([eet_row], ["meeting: met; departure: met"], "instructuie-legacy").get("accuracy", "eet")
    assert accuracy and accuracy.value == 0


def test_macro_f1_weighs_every_set_equally() -> None:
    rows = [row("ner", dataset="large")] * 9 + [row("ner", dataset="small")]
    answers = [rows[0]["output"]] * 9 + ["None"]
    assert value(rows, answers, "macro F1", "ner") == 0.5
    assert value(rows, answers, group="ner") > 0.9
    assert (value(rows, answers, group="ner large"), value(rows, answers, group="ner small")) == (1, 0)


def test_invalid_answers_invented_spans_and_unoffered_labels_are_counted() -> None:
    rows = [ROWS[0]] * 5
    answers = ["person: Ann; person: Cy", "river: Oslo; planet: Oslo", "(", "", "None"]
    scores = metrics.score(rows, answers, "strict")
    expected = {"rows": 5, "right": 0, "invalid": 2, "no text": 1, "spans said": 4, "hallucinated spans": 1}
    assert expected.items() <= scores.counts.items()
    assert scores.counts["out-of-schema labels"] == 1
    shares = {m: value(rows, answers, m) for m in (metrics.UNPARSEABLE, metrics.HALLUCINATED, metrics.OUT_OF_SCHEMA)}
    assert shares == {metrics.UNPARSEABLE: 0.4, metrics.HALLUCINATED: 0.25, metrics.OUT_OF_SCHEMA: 0.25}


def test_a_missing_answer_scores_zero_and_a_wrong_call_is_an_error() -> None:
    assert metrics.score([ROWS[0]], [None], "strict").headline_value().value == 0  # type: ignore[list-item]
    with pytest.raises(ZooError, match='did you mean "strict"'):
        metrics.score(ROWS, [""] * len(ROWS), "stric")
    with pytest.raises(ZooError, match="1 answers for 9 rows"):
        metrics.correct(ROWS, [""], "strict")


def test_rows_without_a_gold_column_are_scored_by_their_output() -> None:
    question: Row = {"instruction": "", "input": TEXT, "output": "person: Ann"}
    assert value([question], ["person: Ann"]) == 1
    assert value([question], ["person: Bo"]) == 0
    with pytest.raises(ZooError, match="row 1: no truth"):
        metrics.score([question | {"output": "who knows"}], [""], "strict")


def test_five_thousand_repeats_of_one_entity_are_one_hit() -> None:
    text = "Ann " * 12_500
    ann_row = row("ner", Annotation((ANN,)), text=text)
    answer = "; ".join(["person: Ann"] * 5_000)
    assert value([ann_row], [answer]) == pytest.approx(2 / 5_001)


def test_spans_of_unusual_characters_score_one() -> None:
    text = "😀 שלום; \u0007دبي \u202eabc None"
    spans = ["😀", "שלום;", "\u0007دبي", "\u202eabc", "None"]
    annotation = Annotation(tuple(Mention("person", s, text.index(s), text.index(s) + len(s)) for s in spans))
    odd_row = row("ner", annotation, text=text)
    scores = metrics.score([odd_row], [odd_row["output"]], "strict")
    assert (scores.headline_value().value, scores.counts["hallucinated spans"]) == (1, 0)


# --- the published scorer


def test_the_legacy_scorer_reproduces_the_published_flaws() -> None:
    """Its flaws, one by one: sets, case, location; see instructuie_scorer.py."""
    legacy: dict[str, Any] = {"scorer": "instructuie-legacy"}
    ner_rows = [ROWS[0]]
    assert value(ner_rows, ["person: Ann; person: Bo; city: Oslo"], **legacy) == 1  # predicted once, true twice
    assert value(ner_rows, ["PERSON: ann; person: BO; city:  oslo"], **legacy) == 1
    assert value([ner_rows[0] | {"output": "location: x"}], ["located: x"], **legacy) == 1
    assert value([ROWS[2]], [ROWS[2]["output"]], **legacy) == 1
    assert value([row("ner", Annotation())], ["None"], **legacy) == 1


@pytest.mark.realdata
def test_always_none_gets_its_published_f1_from_the_legacy_scorer_only(realdata: Path) -> None:
    """35.5 on the test split of NCBI, as published about this flaw; of WNUT17 the development split is used."""
    for name, figure in (("ncbi_disease/test.tsv", 0.355), ("wnut17/emerging.dev.conll", 0.345)):
        path = realdata / "ie" / name
        if not path.is_file():
            pytest.skip(f"no {path}")
        rows = [gold_row for _, gold_row in sources.gold(path) or ()]
        none = ["None"] * len(rows)
        assert value(rows, none, scorer="instructuie-legacy") == pytest.approx(figure, abs=5e-4)
        assert value(rows, none) == 0
        assert value(rows, none, scorer="multiset") == 0


# --- baselines

TRAIN = [row("ner"), row("ner", dataset="b", text="Ann met Bo."), row("re"), row("ee"), row("es"), row("eea")]


@pytest.mark.parametrize("name", metrics.BASELINES)
def test_baseline_answers_are_valid_and_use_only_offered_labels(name: str) -> None:
    train, test = (list(world.generate(300, 0, split)) for split in ("train", "test"))
    answers = list(metrics.BASELINES[name](train, test))
    scores = metrics.score(test, answers, "strict")
    assert (scores.counts["invalid"], scores.counts["out-of-schema labels"]) == (0, 0)
    assert scores.headline_value().value < 0.5
    with pytest.raises(ZooError, match="no training rows"):
        metrics.BASELINES[name]([], test)


def test_the_lexicon_baseline_tags_whole_words_and_the_longest_name() -> None:
    long = Annotation((Mention("river", "Ann Bo", 0, 6), Mention("person", "Bo", 8, 10)))
    train = [row("ner", long, text="Ann Bo, Bo."), TRAIN[0]]
    question = row("ner", Annotation(), text="Annie, Ann Bo and Bo in Oslosund or Oslo")
    (answer,) = metrics.BASELINES["lexicon"](train, [question])
    assert answer == "river: Ann Bo; person: Bo; city: Oslo"
    (answer_of_two_labels,) = metrics.BASELINES["lexicon"](train, [question | {"options": '["city", "person"]'}])
    assert answer_of_two_labels == "person: Ann; person: Bo; person: Bo; city: Oslo"


def test_the_lexicon_baseline_finds_relations_triggers_and_arguments_of_train() -> None:
    for test_row in (ROWS[1], ROWS[7], ROWS[8]):
        (answer,) = metrics.BASELINES["lexicon"](TRAIN, [test_row])
        assert value([test_row], [answer], "recall") == 1
    (answer,) = metrics.BASELINES["lexicon"](TRAIN, [row("re", Annotation(), text="Ann and Cy, in Oslo")])
    assert answer == "None"


def test_the_frequent_tuple_baseline_uses_the_most_frequent_offered_tuple() -> None:
    (answer,) = metrics.BASELINES["most frequent tuple"](TRAIN, [ROWS[0]])
    assert answer == "person: Ann"
    (answer,) = metrics.BASELINES["most frequent tuple"](TRAIN, [ROWS[0] | {"options": '["city"]'}])
    assert answer == "city: Oslo"


# --- published figures


def test_published_metric_values_are_unique_and_their_mean_is_right() -> None:
    named = [(f.metric, f.group, f.system) for f in metrics.PAPER]
    assert len(set(named)) == len(named)
    assert {f.group.partition(" ")[0] for f in metrics.PAPER} == {"ner", "re", "ee"}
    assert all(0 < f.value < 1 for f in metrics.PAPER)
    mean = sum(f.value for f in metrics.PAPER if f.group.startswith("re ")) / 8
    assert mean == pytest.approx(0.6798, abs=5e-5)


@pytest.mark.parametrize("scorer", ["strict", "multiset", "instructuie-legacy"])
def test_gold_elements_beyond_the_task_are_ignored(scorer: str) -> None:
    """A row may have only `gold`, with labels that es does not ask for; the published scorer reads it as None."""
    gold = {"entities": [["person", "Ann", 0, 3]]}
    for task, right in (("es", "Ann"), ("ner", "person: Ann")):
        row = {"input": "Ann slept.", "task": task, "options": ["person"], "gold": gold}
        assert metrics.score([row], [right], scorer).metric_values[0].value == 1
        assert metrics.score([row], ["None"], scorer).metric_values[0].value == 0


@pytest.mark.parametrize("scorer", ["strict", "multiset", "instructuie-legacy"])
def test_eea_gold_is_limited_to_the_given_event_type(scorer: str) -> None:
    gold = {
        "events": [
            {"type": type, "trigger": ["", "hit", 4, 7], "arguments": [["agent", name, start, start + 3]]}
            for type, name, start in (("attack", "Ann", 0), ("meeting", "Bob", 8))
        ]
    }
    row = {"input": "Ann hit Bob.", "task": "eea", "options": ["agent"], "given": "attack", "gold": gold}
    assert metrics.score([row], ["agent: Ann"], scorer).metric_values[0].value == 1
