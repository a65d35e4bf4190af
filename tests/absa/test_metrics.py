"""Scorers: strict counts each exact tuple once; the published scorers reproduce their known errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from instructzoo.absa import metrics, prompts, sources
from instructzoo.absa.metrics import published_scorers
from instructzoo.absa.schema import TASKS, Quad
from instructzoo.core import api
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row

WINE = Quad("wine", "DRINKS#QUALITY", "fine", "positive")
SOUP = Quad("soup", "FOOD#QUALITY", "cold", "negative")
IMPLIED = Quad(None, "FOOD#PRICES", None, "negative")


def row(
    *quads: Quad, task: str = "asqp", text: str = "The wine is fine but the soup is cold .", source: str = ""
) -> Row:
    return prompts.make_row(text, quads, task, 0, source=source)


def answer_with(*quads: Quad, task: str = "asqp") -> str:
    return prompts.format_answer(quads, task)


def values(rows: list[Row], answers: list[str], scorer: str = "strict", group: str = "all") -> list[float]:
    scores = metrics.score(rows, answers, scorer)
    metric_values = [scores.get(metric, group) for metric in ("F1", "precision", "recall")]
    return [value.value for value in metric_values if value]


def test_a_repeated_tuple_is_one_hit_in_the_strict_scorer() -> None:
    rows = [row(WINE, SOUP)]
    assert values(rows, [answer_with(WINE, WINE)]) == [0.5, 0.5, 0.5]
    assert values(rows, [answer_with(WINE, WINE)], "abs-quad") == [1, 1, 1], "as published: both count"
    assert values([row(WINE, WINE)], [answer_with(WINE, WINE)]) == [1, 1, 1]
    assert metrics.correct(rows, [answer_with(WINE, WINE)], "strict") == [False]
    assert metrics.correct(rows, [answer_with(SOUP, WINE)], "strict") == [True]


@pytest.mark.parametrize(
    "wrong",
    [
        Quad("Wine", "DRINKS#QUALITY", "fine", "positive"),
        Quad("wine", "DRINKS#PRICES", "fine", "positive"),
        Quad("wine", "DRINKS#QUALITY", "fin", "positive"),
        Quad("wine", "DRINKS#QUALITY", "fine", "neutral"),
        Quad(None, "DRINKS#QUALITY", "fine", "positive"),
        Quad("wine", "DRINKS#QUALITY", None, "positive"),
    ],
)
def test_a_tuple_with_one_wrong_element_is_no_hit(wrong: Quad) -> None:
    for scorer in metrics.SCORERS:
        same = scorer == "lenient" and wrong.aspect == "Wine"
        assert values([row(WINE)], [answer_with(wrong)], scorer)[0] == float(same), scorer
        assert metrics.correct([row(WINE)], [answer_with(wrong)], scorer) == [same], scorer


def test_gold_answers_of_every_task_score_one_in_every_scorer() -> None:
    for task in TASKS:
        rows = [row(WINE, SOUP, task=task)]
        answer = rows[0]["output"]
        for scorer in (*metrics.SCORERS, *metrics.LEGACY):
            assert values(rows, [answer], scorer) == [1, 1, 1], (task, scorer)
    assert (
        values([row(WINE, Quad("wine", "DRINKS#PRICES", "dear", "positive"), task="aesc")], ["wine is great"])
        == [1] * 3
    )


def test_invalid_answers_are_counted_and_wrong_even_where_gold_is_empty() -> None:
    rows = [row(), row(WINE)]
    scores = metrics.score(rows, ["", answer_with(WINE)], "strict")
    assert metrics.correct(rows, ["", answer_with(WINE)], "strict") == [False, True]
    assert metrics.correct(rows, ["nothing", answer_with(WINE)], "strict") == [True, True]
    rate = scores.get("unparseable outputs")
    assert rate and rate.value == 0.5
    assert scores.counts["unparseable outputs"] == 1


def test_spans_not_in_the_text_are_counted() -> None:
    rows = [row(WINE), row(WINE), row(WINE)]
    invented = Quad("beer", "DRINKS#QUALITY", "fine", "positive")
    scores = metrics.score(rows, [answer_with(WINE), answer_with(invented, IMPLIED), "garbage"], "strict")
    rate = scores.get("hallucinated spans")
    assert rate and (rate.value, rate.n) == (0.25, 2)
    assert scores.counts["hallucinated spans"] == 1
    assert metrics.score(rows, ["nothing"] * 3, "strict").get("hallucinated spans") is None


def test_rows_with_implicit_tuples_are_scored_as_their_own_group() -> None:
    rows = [row(WINE, IMPLIED), row(WINE), row(WINE, task="ae"), row(IMPLIED, task="tasd")]
    answers = [answer_with(WINE), answer_with(WINE), "it", rows[3]["output"]]
    assert values(rows, answers, group="implicit") == [pytest.approx(2 / 4), 0.5, 0.5]
    figure = metrics.score(rows, answers, "strict").get("F1", "implicit")
    assert figure and figure.n == 3
    assert metrics.score([row(WINE)], [answer_with(WINE)], "strict").get("F1", "implicit") is None


def test_scores_are_given_per_task_and_per_set() -> None:
    rows = [row(WINE, task=task, source=source) for source in ("asqp/rest15", "world") for task in ("ae", "asqp")]
    answers = ["wine", "nothing", "soup", answer_with(WINE)]
    scores = metrics.score(rows, answers, "strict")
    f1_by_group = {v.group: (v.value, v.n) for v in scores.metric_values if v.metric == "F1"}
    assert f1_by_group == {
        "all": (pytest.approx(4 / 7), 4),
        "ae": (0.5, 2),
        "asqp": (pytest.approx(2 / 3), 2),
        "asqp/rest15 ae": (1, 1),
        "asqp/rest15 asqp": (0, 1),
    }
    assert scores.headline_value().group == "all"


def test_legacy_abs_quad_targets_are_written_and_decoded_as_published() -> None:
    text = "drinks quality is great because wine is fine [SSEP] food prices is bad because it is dear"
    quads = [WINE, Quad(None, "FOOD#PRICES", "dear", "negative")]
    assert published_scorers.paraphrase(quads, "asqp") == text
    assert published_scorers.decode(text, "asqp") == [
        ("drinks quality", "wine", "great", "fine"),
        ("food prices", "NULL", "bad", "dear"),
    ]
    assert published_scorers.paraphrase([WINE], "aste") == "It is great because wine is fine"
    assert published_scorers.decode("It is great because wine is fine", "aste") == [("wine", "fine", "positive")]
    assert published_scorers.paraphrase([WINE], "tasd") == "drinks quality is great because wine is great"
    assert published_scorers.decode("drinks quality is great because wine is bad", "tasd") == [
        ("drinks quality", "wine", "positive")
    ]
    for broken in ("", "e", "a is great because b", "a is great because b is c is d", "a because b because c"):
        assert published_scorers.decode(broken, "asqp") == [("", "", "", "")], broken
    assert values([row(*quads)], [text], "abs-quad") == [1, 1, 1]
    assert values([row(*quads)], [text], "strict") == [0, 0, 0], "another form than the zoo's"


def test_garbage_is_no_hit_for_an_undecodable_tuple_in_the_strict_scorer() -> None:
    """One of rest16's test tuples holds " is ": the published scorer takes any garbage for it."""
    broken = Quad("wine", "DRINKS#QUALITY", "not that it is bad", "positive")
    assert values([row(broken)], ["garbage"], "abs-quad") == [1, 1, 1]
    assert values([row(broken)], ["garbage"], "strict") == [0, 0, 0]
    assert metrics.correct([row(broken)], ["garbage"], "abs-quad") == [False]


def test_the_legacy_substring_scorer_reproduces_its_published_flaws() -> None:
    rows = [row(WINE, SOUP, task="ae"), row(task="ae")]
    assert values(rows, ["e, oup", "noaspectterm"], "instructabsa-legacy") == [1, 1, 1]
    assert values(rows, ["", ""], "instructabsa-legacy") == [pytest.approx(6 / 5), 1.5, 1]
    assert values(rows, ["wine and soup", "x"], "instructabsa-legacy")[1] == 1, "two hits of two answers"
    assert values([row(WINE, task="aesc")], ["wine:positive"], "instructabsa-legacy") == [1, 1, 1]
    assert values([row(WINE, task="aesc")], ["wine:negative"], "instructabsa-legacy") == [0, 0, 0]
    wrong = values([row(WINE, task="aste")], ["w:fi:negative"], "instructabsa-legacy")
    assert wrong == [1, 1, 1], "the sentiment of a triplet is never compared"
    assert values([row(WINE, task="aste")], ["x:fi:positive"], "instructabsa-legacy") == [0, 0, 0]
    assert values([row(WINE, SOUP)], [answer_with(WINE, SOUP)], "instructabsa-legacy") == [1, 1, 1], (
        "asqp by its aspects"
    )
    assert metrics.score(rows, ["e", "e"], "instructabsa-legacy").notes


PUBLISHED = {
    "SemEval14/Test/Laptops_Test.csv": (0.84, 1.13, 0.41),
    "SemEval14/Test/Restaurants_Test.csv": (0.86, 1.25, 0.18),
    "SemEval15/Test/Restaurants_Test.csv": (0.82, 1.09, 0.38),
    "SemEval16/Test/Restaurants_Test.csv": (0.82, 1.13, 0.33),
}
"""F1 of the faulty scorer for always answering "e", nothing, "noaspectterm"."""


@pytest.mark.realdata
@pytest.mark.parametrize("name", PUBLISHED)
def test_constant_answers_get_the_published_f1_from_the_legacy_scorer_only(
    realdata: Path, tmp_path: Path, name: str
) -> None:
    """By the command: `zoo score absa --gold FILE --pred FILE --scorer instructabsa-legacy`."""
    path = realdata / "absa/semeval" / name
    n = len(list(sources.gold(path) or ()))
    for answer, published_f1 in zip(("e", "", "noaspectterm"), PUBLISHED[name], strict=True):
        answers = tmp_path / "answers.jsonl"
        answers.write_text((json.dumps({"prediction": answer}) + "\n") * n)
        for scorer, value in (("instructabsa-legacy", published_f1), ("strict", 0)):
            scores = api.score("absa", str(path), str(answers), scorer)
            assert scores["figures"][0]["value"] == pytest.approx(value, abs=0.005), (answer, scorer)


@pytest.mark.realdata
def test_baselines_reproduce_their_f1_on_rest16(realdata: Path) -> None:
    train, dev = (
        [row for _, row in sources.gold(realdata / f"absa/asqp/rest16/{file}.txt") or ()] for file in ("train", "dev")
    )
    f1 = {name: values(dev, list(baseline(train, dev)))[0] for name, baseline in metrics.BASELINES.items()}
    assert f1 == {"frequent tuple": pytest.approx(0.012, abs=0.001), "lexicon": pytest.approx(0.30, abs=0.01)}


def test_the_lexicon_baseline_finds_spans_learned_from_training_rows() -> None:
    train = [
        row(WINE, SOUP),
        row(Quad("red wine", "DRINKS#STYLE_OPTIONS", "fine", "positive"), text="A fine red wine ."),
        row(text="We had wine and soup on a cold day ."),
        row(text="It was a fine day ."),
        row(Quad("day", "FOOD#QUALITY", "fine", "negative"), text="What a fine day !"),
    ]
    test = [row(text=text) for text in ("Cold soup , fine red wine !", "The tea was hot .", "a fine day")]
    answers = [prompts.parse(text, row()) for text in metrics.BASELINES["lexicon"](train, test)]
    assert answers[0] == prompts.Answer(
        (
            Quad("soup", "FOOD#QUALITY", "Cold", "negative"),
            Quad("red wine", "DRINKS#STYLE_OPTIONS", "fine", "positive"),
        )
    )
    assert answers[1] == prompts.Answer()
    assert answers[2] == prompts.Answer((Quad(None, "FOOD#QUALITY", "fine", "positive"),)), "day is seldom an aspect"
    for task in ("ae", "aesc", "tasd"):
        (text,) = metrics.BASELINES["lexicon"](train, [row(task=task, text="soup , red wine")])
        answer = prompts.parse(text, row(task=task))
        assert isinstance(answer, prompts.Answer)
        assert [quad.aspect for quad in answer.quads] == ["soup", "red wine"]


def test_rows_of_tasks_without_opinions_do_not_change_the_lexicon_baseline() -> None:
    others = [row(WINE, task="ae", text=f"The wine is fine {n} .") for n in range(5)]
    (text,) = metrics.BASELINES["lexicon"]([row(WINE, SOUP), *others], [row(text="soup was cold")])
    assert prompts.parse(text, row()) == prompts.Answer((SOUP,))
    (text,) = metrics.BASELINES["lexicon"]([row(WINE), *others], [row(text="fine wine")])
    assert prompts.parse(text, row()) == prompts.Answer((WINE,))


def test_the_frequent_tuple_baseline_is_per_task_and_baselines_need_rows() -> None:
    train = [row(WINE), row(WINE), row(SOUP), row(SOUP, task="ae")]
    test = [row(task="asqp"), row(task="ae"), row(task="tasd")]
    assert metrics.BASELINES["frequent tuple"](train, test) == [answer_with(WINE), "soup", "nothing"]
    for baseline in metrics.BASELINES.values():
        with pytest.raises(ZooError, match="no training rows"):
            baseline([], test)


@pytest.mark.parametrize(
    ("rows", "answers", "scorer", "message"),
    [
        ([row(WINE)], [], "strict", "0 answers for 1 rows"),
        ([row(WINE)], ["nothing"], "exact", 'no scorer "exact"'),
        ([row(WINE) | {"gold": "wine"}], ["nothing"], "strict", "row 1: no JSON"),
        ([row(WINE) | {"gold": "", "output": "wine"}], ["nothing"], "strict", "row 1: no true tuples"),
    ],
)
def test_an_invalid_scoring_call_is_an_error(rows: list[Row], answers: list[str], scorer: str, message: str) -> None:
    for function in (metrics.score, metrics.correct):
        with pytest.raises(ZooError) as caught:
            function(rows, answers, scorer)
        assert message in str(caught.value)


def test_rows_without_a_gold_column_are_scored_by_their_output(tmp_path: Path) -> None:
    complete: dict[str, Any] = row(WINE, SOUP)
    bare = {name: complete[name] for name in ("instruction", "input", "output")}
    assert values([bare], [answer_with(WINE, SOUP)]) == [1, 1, 1]


def test_ten_thousand_answers_are_scored_within_ten_seconds() -> None:
    import time

    rows = [row(WINE, SOUP, IMPLIED)] * 10_000
    start = time.process_time()
    metrics.score(rows, [answer_with(WINE, SOUP)] * 10_000, "strict")
    assert time.process_time() - start < 10


def test_gold_elements_beyond_the_task_are_ignored() -> None:
    quad = {"aspect": "wine", "category": "DRINKS#QUALITY", "opinion": "great", "sentiment": "positive"}
    row = {"instruction": "x", "input": "great wine", "task": "ae", "gold": json.dumps([quad])}
    assert metrics.score([row], ["wine"], "strict").metric_values[0].value == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"task": "ASQP", "gold": "[]"}, 'row 1: no task "ASQP"; known: ae'),
        ({"task": "asqp", "gold": '[{"aspect": "wine"}]'}, "row 1: one without category"),
        (
            {"task": "tasd", "gold": '[{"aspect": "a", "category": "F#Q", "sentiment": "conflict"}]'},
            'row 1: a true tuple with the sentiment "conflict"; expected a sentiment that tasd can ask for',
        ),
    ],
)
@pytest.mark.parametrize("scorer", ["strict", "abs-quad", "instructabsa-legacy"])
def test_gold_that_no_answer_can_match_is_an_error(row: dict[str, str], message: str, scorer: str) -> None:
    with pytest.raises(ZooError) as caught:
        metrics.score([{"instruction": "x", "input": "great wine", **row}], ["nothing"], scorer)
    assert message in str(caught.value)
