"""The demo without a browser: prompts, HTML, saved files, and training on corrected rows."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from instructzoo.absa import demo, prompts, sources, world
from instructzoo.absa.demo import correction, correction_tab, file_extraction, rendering
from instructzoo.absa.extraction import (
    AnalysisCounts,
    LocatedQuad,
    ReviewAnalysis,
    analyse,
    combine_outputs,
    locate,
    occurrences,
    sentence_rows,
)
from instructzoo.absa.schema import ELEMENTS, Quad, from_json
from instructzoo.core import api, infer
from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.errors import ZooError
from instructzoo.core.infer import Predictor
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row

PIZZA = Quad("pizza", "FOOD#QUALITY", "delicious", "positive")
WAITER = Quad("waiter", "SERVICE#GENERAL", "rude", "negative")
REVIEW = "The pizza was delicious but the waiter was rude."
BAD = "<img src=x onerror=alert(1)>"


@dataclass
class ScriptedPredictor:
    """A predictor with given answers to some sentences, "nothing" for others, and an error for long ones."""

    truth: dict[str, list[Quad] | str] = field(default_factory=lambda: {REVIEW: [PIZZA, WAITER]})
    max_characters: int = 1_000
    recipe: Recipe = field(default_factory=lambda: recipes.load("absa/bundled-base"))
    scores: dict[str, Any] | None = None
    model: None = None
    notice: str = ""
    labels: dict[str, list[str]] | None = None
    asked: list[str] = field(default_factory=list)
    largest: int = 0

    def answer(self, rows: Sequence[Row]) -> list[str]:
        if long := next((row["input"] for row in rows if len(row["input"]) > self.max_characters), ""):
            raise ZooError(f"the question takes {len(long)} tokens", f"at most {self.max_characters}", "shorten it")
        self.asked += [row["input"] for row in rows]
        self.largest = max(self.largest, len(rows))
        answers = [self.truth.get(row["input"], []) for row in rows]
        return [a if isinstance(a, str) else prompts.format_answer(a, "asqp") for a in answers]


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def last_update(path: str | None, folder: Path) -> tuple[str, Path | None, Path | None]:
    """The last update of the page for a file."""
    return list(demo.analyse_uploaded(ScriptedPredictor(), path, folder))[-1]


def marks(html: str) -> list[str]:
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", mark)).split()) for mark in re.findall(r"<mark.*?</mark>", html)]


# prompts and span offsets


def test_demo_prompts_equal_training_prompts() -> None:
    (_, row), (_, second) = sentence_rows("Great food. Rude staff!")
    assert row["input"] == "Great food." and second["input"] == "Rude staff!"
    trained = prompts.make_row("Great food.", [Quad(None, "FOOD#QUALITY", "Great", "positive")], "asqp", 0)
    assert prompts.render(row, 0)[0] == prompts.render(trained, 0)[0]


def test_spans_of_the_world_are_marked_exactly_where_they_are_written() -> None:
    checked = 0
    for row in world.generate(400, 3, "train"):
        for quad in from_json(row["gold"]):
            located = locate(quad, row["input"], 7)
            for span, offsets in ((quad.aspect, located.aspect), (quad.opinion, located.opinion)):
                if span is not None and span in row["input"]:
                    assert offsets is not None and f"{' ' * 7}{row['input']}"[slice(*offsets)] == span
                    checked += 1
    assert checked > 400


def test_a_repeated_aspect_is_marked_at_the_occurrence_near_its_opinion() -> None:
    text = "The pizza was overpriced and the pizza was tasty."
    first = locate(Quad("pizza", "FOOD#PRICES", "overpriced", "negative"), text)
    second = locate(Quad("pizza", "FOOD#QUALITY", "tasty", "positive"), text)
    assert first.aspect == (4, 9) and second.aspect == (33, 38)


def test_whole_words_are_matched_before_parts_of_words_ignoring_case() -> None:
    assert list(occurrences("cartoon art", "art")) == [(8, 11)]
    assert list(occurrences("unfriendly", "friend")) == [(2, 8)]
    assert list(occurrences("Great food", "great")) == [(0, 5)]
    assert (
        not list(occurrences("Great food", "wine"))
        and not list(occurrences("x", ""))
        and not list(occurrences("x", None))
    )


def test_a_too_long_review_is_an_error_of_its_own_only() -> None:
    long = "a" * 2_000
    analyses = analyse(ScriptedPredictor(), [REVIEW, long, "Fine."], 5_000)
    assert [len(analysis.quads) for analysis in analyses] == [2, 0, 0]
    assert [bool(analysis.error) for analysis in analyses] == [False, True, False]
    assert "the question takes 2000 tokens; expected at most 1000" in analyses[1].error


def test_invalid_answers_and_invented_spans_are_counted_and_shown() -> None:
    quads = [Quad("wine", "DRINKS#QUALITY", "good", "positive")]
    predictor = ScriptedPredictor({"One.": "gibberish", "Two.": quads, REVIEW: [PIZZA, WAITER]})
    html, analyses = demo.analyse_pasted(predictor, f"One.\nTwo.\n{REVIEW}\nNone here.\n...")
    counts = AnalysisCounts.of(analyses)
    assert (counts.reviews, counts.unparseable, counts.hallucinated) == (5, 1, 2)
    assert (counts.without_quads, counts.failed) == (1, 1)
    shown = plain(html)
    for expected in (
        "2 positive", "1 negative", "0 neutral", "1 without an opinion", "2 phrases not in the text",
        "1 unreadable answer", "1 not analysed", "in 5 reviews", "Not in the text: “ wine ”, “ good ”",
    ):  # fmt: skip
        assert expected in shown, (expected, shown)


# HTML


def test_aspects_are_marked_with_their_own_sentiment() -> None:
    html, _ = demo.analyse_pasted(ScriptedPredictor(), REVIEW)
    assert marks(html) == ["pizza positive", "delicious opinion", "waiter negative", "rude opinion"]
    assert [w for w in ("food, quality 1 positive", "service, general 1 negative") if w not in plain(html)] == []


def test_an_aspect_with_opposed_sentiments_is_marked_mixed() -> None:
    text = "Pizza: tasty, dear."
    quads = [Quad("Pizza", "FOOD#QUALITY", "tasty", "positive"), Quad("Pizza", "FOOD#PRICES", "dear", "negative")]
    assert marks(demo.analyse_pasted(ScriptedPredictor({text: quads}), text)[0])[0] == "Pizza mixed"


def test_implicit_aspects_are_listed() -> None:
    html, _ = demo.analyse_pasted(
        ScriptedPredictor({"Overpriced!": [Quad(None, "RESTAURANT#PRICES", "Overpriced", "negative")]}), "Overpriced!"
    )
    assert marks(html) == ["Overpriced negative opinion"]
    assert "Judged without being named: restaurant, prices negative" in plain(html)
    assert "(not named) restaurant, prices Overpriced negative" in plain(html)


def test_span_offsets_of_a_later_sentence_count_from_the_review_start() -> None:
    html, (analysis,) = demo.analyse_pasted(ScriptedPredictor(), f"It rained. {REVIEW}")
    assert analysis.text[slice(*analysis.quads[0].aspect or ())] == "pizza"
    assert marks(html)[0] == "pizza positive"


def test_bar_widths_are_proportional_and_the_number_of_bars_is_limited() -> None:
    counts = AnalysisCounts.of([ReviewAnalysis("", tuple(LocatedQuad(q) for q in [PIZZA] * 3 + [WAITER]))])
    html = rendering.render_bars(counts.sentiments_by_category)
    assert re.findall(r"width: ([\d.]+)%", html) == ["100.00", "33.33"]
    many = {f"X#Y{i:03}": counts.sentiments_by_category["FOOD#QUALITY"] for i in range(100)}
    assert rendering.render_bars(many).count(
        'class="count"'
    ) == rendering.MAX_BARS + 1 and "76 more" in rendering.render_bars(many)


@pytest.mark.parametrize(
    ("pasted", "line"),
    [
        ("", "Paste one review per line."),
        (" \n\n", "Paste one review per line."),
        (None, "Paste one review per line."),
        ("...", "There is no word in it."),
        ("a" * 50_000, "A text has at most 5,000 characters here, this one has 50,000."),
        ("ok\n" * 201, "201 lines; this page takes 200 at a time. Send more as a file."),
        (f"{'a' * 4_000}\n" * 13, "52,000 characters; this page takes 50,000 at a time. Send more as a file."),
    ],
)  # fmt: skip
def test_invalid_input_gets_a_message_and_never_reaches_the_model(pasted: Any, line: str) -> None:
    predictor = ScriptedPredictor()
    html, analyses = demo.analyse_pasted(predictor, pasted)
    assert plain(html) == line and not analyses and not predictor.asked


def test_unusual_characters_keep_offsets_and_control_characters_are_removed() -> None:
    text = "😀👩‍🍳 pizza\u202e was \x00 tasty \x1b[0m; الطعام لذيذ 👍🏽"
    quads = [Quad("pizza", "FOOD#QUALITY", "tasty", "positive"), Quad("الطعام", "FOOD#QUALITY", "لذيذ", "positive")]
    (analysis,) = analyse(ScriptedPredictor({text: quads}), [text], 5_000)
    offsets = [offsets for located in analysis.quads for offsets in (located.aspect, located.opinion) if offsets]
    assert [text[slice(*pair)] for pair in offsets] == [
        "pizza",
        "tasty",
        "الطعام",
        "لذيذ",
    ]
    html = rendering.render_analyses([analysis])
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", html)
    assert "👩‍🍳" in html and 'dir="auto"' in html


def test_html_in_reviews_and_answers_is_escaped(tmp_path: Path) -> None:
    quads = [Quad(BAD, BAD, BAD, "negative")]
    for text, answer in ((BAD, quads), (f"good {BAD}", quads), ("x", quads), ("x", BAD)):
        html, analyses = demo.analyse_pasted(ScriptedPredictor({text: answer}), text)
        assert "<img" not in html and analyses
    source = tmp_path / "a.txt"
    source.write_text(f"{BAD}\n" * 3)
    assert "<img" not in "".join(
        html for html, *_ in demo.analyse_uploaded(ScriptedPredictor({BAD: quads}), str(source), tmp_path)
    )
    assert "<img" not in last_update(f"{tmp_path}/{BAD}.pdf", tmp_path)[0]
    assert "<img" not in correction_tab.save_correction(BAD, [[BAD] * 4], "restaurant", False, [])[0]
    assert "<img" not in correction_tab.save_correction(BAD, [[BAD, "X#Y", BAD, "positive"]], "restaurant", True, [])[0]
    assert "<img" not in correction_tab.render_saved(
        [correction.to_json_line(BAD, [Quad(BAD, BAD, BAD, "negative")], "laptop")]
    )


# saved files


def test_saved_csv_and_json_match_the_predictions(tmp_path: Path) -> None:
    predictor = ScriptedPredictor(
        {"One.": "gibberish", "Loved!": [Quad(None, "FOOD#QUALITY", "Loved", "positive")], REVIEW: [PIZZA]}
    )
    _, analyses = demo.analyse_pasted(predictor, f"{REVIEW}\nOne.\nNothing.\n...\nLoved!")
    table, objects = file_extraction.save_analyses(analyses, tmp_path)
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    assert [(r["line"], r["aspect"], r["sentiment"], r["note"][:22]) for r in rows] == [
        ("1", "pizza", "positive", ""),
        ("2", "", "", "unparseable output: no"),
        ("3", "", "", "no opinion"),
        ("4", "", "", "not analysed: There is"),
        ("5", "NULL", "positive", ""),
    ]
    assert REVIEW[int(rows[0]["aspect_start"]) : int(rows[0]["aspect_end"])] == "pizza"
    values = json.loads(objects.read_text())
    assert [value["text"] for value in values] == [analysis.text for analysis in analyses]
    assert values[0]["quads"] == [{name: getattr(PIZZA, name) for name in ELEMENTS} | {"aspect_at": [4, 9],
                                  "opinion_at": [14, 23]}]  # fmt: skip
    assert values[1]["invalid"] and values[3]["error"] and values[4]["quads"][0]["aspect"] is None


def test_saved_csv_cells_are_escaped_against_spreadsheet_formulas(tmp_path: Path) -> None:
    text = '=HYPERLINK("http://x";"y") good, "so"'
    analyses = analyse(
        ScriptedPredictor({text: [Quad("=HYPERLINK", "FOOD#QUALITY", "good", "positive")]}), [text], 5_000
    )
    table, _ = file_extraction.save_analyses(analyses, tmp_path)
    (row,) = csv.DictReader(table.open(encoding="utf-8-sig", newline=""))
    assert row["text"] == f"'{text}" and row["aspect"] == "'=HYPERLINK"


def test_every_line_of_a_file_gets_its_own_result_or_error(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    lines = [
        {"text": REVIEW, "id": 7, "quads": "mine"},
        {"no": 1},
        {"text": "a" * 50_001},
        {"text": "b" * 2_000},
        {"text": "Ok."},
    ]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines) + "not json\n")
    html, table, objects = last_update(str(source), tmp_path)
    assert table and objects
    records = [json.loads(line) for line in objects.read_text().splitlines()]
    assert [record["line"] for record in records] == [1, 2, 3, 4, 5, 6]
    assert records[0]["id"] == 7 and records[0]["quads"][0]["aspect"] == "pizza"
    assert records[0]["given"] == {"quads": "mine"}
    assert ["error" in record for record in records] == [False, True, True, True, False, True]
    assert [row["line"] for row in csv.DictReader(table.read_text("utf-8-sig").splitlines())] == list("1123456")
    for expected in (
        "1 positive",
        "4 not analysed",
        "1 without an opinion",
        "line 2 No",
        "line 3 A text has at most 50,000",
    ):
        assert expected in plain(html), (expected, plain(html))


def test_a_file_is_predicted_in_batches_and_offered_once_complete(tmp_path: Path) -> None:
    source, predictor = tmp_path / "in.txt", ScriptedPredictor()
    source.write_text(f"{REVIEW}\n" * 1_000)
    updates = [(html, table) for html, table, _ in demo.analyse_uploaded(predictor, str(source), tmp_path)]
    assert predictor.largest == file_extraction.BLOCK_REVIEWS and len(updates) == 5 + 1
    assert [table for _, table in updates[:-1]] == [None] * 5, "a file is offered before it is complete"
    for (html, _), done in zip(updates, (200, 400, 600, 800), strict=False):
        assert f"{done} reviews analysed" in html
    fractions = [float(re.findall(r'value="([\d.]+)"', html)[0]) for html, _ in updates[:-1]]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert "1,000 positive" in updates[-1][0] and "in 1,000 reviews" in updates[-1][0]
    assert len((tmp_path / "in.judged.jsonl").read_text().splitlines()) == 1_000


@pytest.mark.parametrize("name", ["a.pdf", "a.csv", "a.txt"])
def test_an_unusable_file_gets_a_message(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("stars\n5\n" if name == "a.csv" else "\n")
    html, table, objects = last_update(str(tmp_path / name), tmp_path)
    assert plain(html).startswith("This file cannot be analysed:") and table is objects is None
    assert plain(last_update(None, tmp_path)[0]) == "Choose a file of reviews first."


# corrections


def test_predictions_are_unchanged_by_the_correction_table() -> None:
    (analysis,) = analyse(ScriptedPredictor(), [REVIEW], 5_000)
    assert correction.read_table(REVIEW, correction.to_table(analysis), "restaurant") == [PIZZA, WAITER]
    wider = [[*cells, ""] for cells in correction.to_table(analysis)]  # a page lets a person add a column
    assert correction.read_table(REVIEW, wider, "restaurant") == [PIZZA, WAITER]
    with pytest.raises(ZooError, match="5 cells"):
        correction.read_table(REVIEW, [[*wider[0][:4], "x"]], "restaurant")
    assert correction_tab.load_review(0, [analysis])[:2] == (REVIEW, correction.to_table(analysis))
    assert correction_tab.load_review(None, [analysis])[:2] == correction_tab.load_review(3, [])[:2] == ("", [[""] * 4])


def test_spellings_of_correction_labels_are_normalized() -> None:
    table = [["", "food style_options", "delicious", "POS"], ["", "", "", ""], [None, None, None, None]]
    assert correction.read_table(REVIEW, table, "restaurant") == [
        Quad(None, "FOOD#STYLE_OPTIONS", "delicious", "positive")
    ]
    table = [["NULL", "laptop#price", " ", "neutral"]]
    assert (
        correction.read_table(REVIEW, [[c.upper() if "#" in c else c for c in table[0]]], "laptop")[0].opinion is None
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["wine", "FOOD#QUALITY", "", "positive"], 'row 2: the aspect "wine"; expected words of the text; or leave'),
        (["Pizza", "FOOD#QUALITY", "", "positive"], 'write it as the text does: "pizza"'),
        (["", "FOOD#QUALITY", "awful", "positive"], 'row 2: the opinion "awful"'),
        (["pizza", "FOOD#QUALTY", "", "positive"], 'row 2: the category "FOOD#QUALTY"; did you mean "FOOD#QUALITY"?'),
        (["pizza", "", "", "positive"], "row 2: no category"),
        (["pizza", "FOOD#QUALITY", "", "happy"], 'row 2: no sentiment "happy"'),
        (["pizza", "FOOD#QUALITY", "", "conflict"], 'row 2: no sentiment "conflict"'),
        (["pizza", "FOOD#QUALITY", "", ""], "row 2: no sentiment; expected one of positive, negative, neutral"),
        (["waiter", "SERVICE#GENERAL", "rude", "negative"], "row 2: the same opinion as in a row above"),
    ],
)
def test_an_invalid_correction_is_rejected_with_a_reason(row: list[str], message: str) -> None:
    table = [["waiter", "SERVICE#GENERAL", "rude", "negative"], row]
    html, lines = correction_tab.save_correction(REVIEW, table, "restaurant", False, ["old"])
    assert "✗ not saved" in html and message in unescape(html) and lines == ["old"]


@pytest.mark.parametrize("text", ["", " ...", "a" * 1_001, "bad \ud800"])
def test_a_text_unfit_for_training_is_neither_saved_nor_predicted(text: str) -> None:
    html, lines = correction_tab.save_correction(text, [], "restaurant", False, [])
    assert "✗ not saved" in html and not lines
    predictor = ScriptedPredictor()
    assert correction_tab.predict_table(predictor, text)[0] == [[""] * 4] and not predictor.asked


def test_a_custom_category_is_saved_only_when_allowed() -> None:
    table = [["pizza", "CRUST#THICKNESS", "delicious", "positive"]]
    assert "✗ not saved" in correction_tab.save_correction(REVIEW, table, "restaurant", False, [])[0]
    assert "✓ saved" in correction_tab.save_correction(REVIEW, table, "restaurant", True, [])[0]


def test_the_message_on_an_unknown_category_is_short() -> None:
    for category, expected in (
        ("BATTERY#LIFE", "one of BATTERY#GENERAL, BATTERY#PRICE"),
        ("SOUL#X", "one of LAPTOP, DISPLAY"),
    ):
        html, _ = correction_tab.save_correction(REVIEW, [["", category, "", "positive"]], "laptop", False, [])
        assert expected in plain(html) and len(plain(html)) < 500


def test_a_text_saved_again_replaces_itself_and_at_most_500_are_saved() -> None:
    _, lines = correction_tab.save_correction(REVIEW, [], "restaurant", False, [])
    html, lines = correction_tab.save_correction(
        f" {REVIEW} ", [["pizza", "FOOD#QUALITY", "", "neutral"]], "restaurant", False, lines
    )
    assert "in place of the earlier one" in html and len(lines) == 1
    full = [correction.to_json_line(f"text {i}", [], "laptop") for i in range(correction.MAX_SAVED)]
    with pytest.raises(ZooError, match="500 texts"):
        correction.add_line(full, correction.to_json_line("one more", [], "laptop"))


def test_an_added_row_fills_a_blank_row_and_keeps_the_others() -> None:
    table, aspect, opinion = correction_tab.add_row(
        [["a", "b", "c", "d"], ["", "", "", ""]], "pizza", None, "", "neutral"
    )
    assert table == [["a", "b", "c", "d"], ["pizza", "", "", "neutral"]] and aspect == opinion == ""


def test_the_category_lists_contain_every_category_of_the_world() -> None:
    for row in world.generate(1_000, 1, "train"):
        for quad in from_json(row["gold"]):
            assert quad.category is None or quad.category in correction.CATEGORIES[row["domain"]]


def saved_rows(folder: Path) -> Path:
    lines = list[str]()
    for number, row in enumerate(world.generate(60, 2, "train", world.Settings(tasks=("asqp",)))):
        quads = [
            q for q in from_json(row["gold"]) if all(s is None or s in row["input"] for s in (q.aspect, q.opinion))
        ]
        table = [[getattr(quad, name) or "" for name in ELEMENTS] for quad in quads]
        html, lines = correction_tab.save_correction(f"{row['input']} ({number})", table, row["domain"], False, lines)
        assert "✓ saved" in html, html
    return correction_tab.write_lines(lines, folder)


def test_saved_corrections_are_read_as_the_same_training_rows(tmp_path: Path) -> None:
    path = saved_rows(tmp_path)
    rows = [row for _, row in sources.gold(path, "asqp") or ()]
    for line, row in zip(path.read_text().splitlines(), rows, strict=True):
        value = json.loads(line)
        quads = from_json(json.dumps(value["quads"]))
        expected = prompts.make_row(value["text"], quads, "asqp", 0, value["domain"])
        assert {name: row[name] for name in ("input", "output", "gold", "domain")} == {
            name: expected[name] for name in ("input", "output", "gold", "domain")
        }


def test_a_model_trained_on_saved_corrections_works_in_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "runs"))
    overrides = [
        "data.sources=[own]", f"data.path={saved_rows(tmp_path)}", "data.world={}", "train.steps=2", "train.batch=4",
        "model.backbone=scratch:t5-1x32", "model.vocabulary=512", "evaluate.limit=4", "decode.max_new_tokens=4",
    ]  # fmt: skip
    assert api.train("absa/tiny", overrides, run_id="own", quiet=True)["steps"] == 2
    predictor = Predictor.load(domains.get("absa"), tmp_path / "runs" / "absa" / "tiny" / "own")
    html, analyses = demo.analyse_pasted(predictor, f"{REVIEW}\n{'word ' * 900}")
    assert not analyses[0].error and "at most 256" in analyses[1].error
    assert "1 not analysed" in plain(html)


def test_the_demo_builds_for_a_recipe() -> None:
    demo.build(ScriptedPredictor(recipe=recipes.load("absa/small"))).close()


def test_each_reply_is_matched_to_its_own_sentence() -> None:
    rows = sentence_rows("Good wine. Good wine.")
    outputs = [prompts.format_answer([Quad("wine", "DRINKS#QUALITY", "Good", "positive")], "asqp"), "nothing"]
    (located,) = combine_outputs("Good wine. Good wine.", rows, outputs).quads
    assert located.aspect == (5, 9)
    with pytest.raises(ValueError, match="shorter"):
        combine_outputs("Good wine. Good wine.", rows, outputs[:1])


EXAMPLES_TRUTH = {
    "The pizza was delicious but the waiter was rude.": {("pizza", "positive"), ("waiter", "negative")},
    "The battery life is great, but the keyboard feels cheap.": {
        ("battery life", "positive"),
        ("keyboard", "negative"),
    },
    "The soup was cold and the service was slow.": {("soup", "negative"), ("service", "negative")},
    "The battery is dependable. I hate the keyboard!": {("battery", "positive"), ("keyboard", "negative")},
    "The margarita was mostly ice, nobody said hello.": {("margarita", "negative"), (None, "negative")},
}


def test_the_examples_of_tiny_are_answered_rightly() -> None:
    examples_are_answered_rightly("tiny")


@pytest.mark.slow
@pytest.mark.usefixtures("fetched_bases")
def test_the_examples_of_small_are_answered_rightly() -> None:
    examples_are_answered_rightly("small")


def examples_are_answered_rightly(name: str) -> None:
    domain = domains.get("absa")
    texts = demo.MADE_UP_EXAMPLES if name == "tiny" else demo.EXAMPLES
    for text, analysis in zip(texts, analyse(infer.open_model(domain, name), texts, 1_000), strict=True):
        judged = {(located.quad.aspect, located.quad.sentiment) for located in analysis.quads}
        assert judged == EXAMPLES_TRUTH[text], (text, analysis)
        assert not any(located.hallucinated_spans() for located in analysis.quads), analysis
