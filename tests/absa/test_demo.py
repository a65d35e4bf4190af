"""The demo without a browser: what is asked, what is shown, what is saved, and that corrected rows train again."""

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
from instructzoo.absa.extraction import Found, Judged, Totals, gather, judge, occurrences, place, questions
from instructzoo.absa.schema import PARTS, Quad, from_json
from instructzoo.core import api
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
class Known:
    """A predictor that knows some sentences, says nothing of others, and refuses the long ones."""

    truth: dict[str, list[Quad] | str] = field(default_factory=lambda: {REVIEW: [PIZZA, WAITER]})
    most: int = 1_000
    recipe: Recipe = field(default_factory=lambda: recipes.load("absa/bundled-base"))
    scores: dict[str, Any] | None = None
    asked: list[str] = field(default_factory=list)
    largest: int = 0

    def answer(self, rows: Sequence[Row]) -> list[str]:
        if long := next((row["input"] for row in rows if len(row["input"]) > self.most), ""):
            raise ZooError(f"the question takes {len(long)} tokens", f"at most {self.most}", "shorten it")
        self.asked += [row["input"] for row in rows]
        self.largest = max(self.largest, len(rows))
        found = [self.truth.get(row["input"], []) for row in rows]
        return [one if isinstance(one, str) else prompts.answer(one, "asqp") for one in found]


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def last_of(path: str | None, folder: Path) -> tuple[str, Path | None, Path | None]:
    """What the page says of a file at last."""
    return list(demo.whole_file(Known(), path, folder))[-1]


def marks(html: str) -> list[str]:
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", mark)).split()) for mark in re.findall(r"<mark.*?</mark>", html)]


# what is asked and where it stands


def test_demo_prompts_equal_training_prompts() -> None:
    (_, row), (_, second) = questions("Great food. Rude staff!")
    assert row["input"] == "Great food." and second["input"] == "Rude staff!"
    trained = prompts.write("Great food.", [Quad(None, "FOOD#QUALITY", "Great", "positive")], "asqp", 0)
    assert prompts.render(row, 0)[0] == prompts.render(trained, 0)[0]


def test_spans_of_the_world_are_marked_exactly_where_they_are_written() -> None:
    """Whatever the world says, its spans are found in it, and stand where they are written."""
    looked = 0
    for row in world.generate(400, 3, "train"):
        for quad in from_json(row["gold"]):
            found = place(quad, row["input"], 7)
            for span, at in ((found.quad.aspect, found.aspect), (found.quad.opinion, found.opinion)):
                if span is not None and span in row["input"]:
                    assert at is not None and f"{' ' * 7}{row['input']}"[slice(*at)] == span
                    looked += 1
    assert looked > 400


def test_a_repeated_aspect_is_marked_at_the_occurrence_near_its_opinion() -> None:
    text = "The pizza was overpriced and the pizza was tasty."
    first = place(Quad("pizza", "FOOD#PRICES", "overpriced", "negative"), text)
    second = place(Quad("pizza", "FOOD#QUALITY", "tasty", "positive"), text)
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
    judged = judge(Known(), [REVIEW, long, "Fine."], 5_000)
    assert [len(one.found) for one in judged] == [2, 0, 0]
    assert [bool(one.fault) for one in judged] == [False, True, False]
    assert "the question takes 2000 tokens; expected at most 1000" in judged[1].fault


def test_invalid_answers_and_invented_spans_are_counted_and_shown() -> None:
    quads = [Quad("wine", "DRINKS#QUALITY", "good", "positive")]
    predictor = Known({"One.": "gibberish", "Two.": quads, REVIEW: [PIZZA, WAITER]})
    html, judged = demo.many(predictor, f"One.\nTwo.\n{REVIEW}\nNone here.\n...")
    totals = Totals.of(judged)
    assert (totals.reviews, totals.invalid, totals.lost, totals.silent, totals.faulty) == (5, 1, 2, 1, 1)
    shown = plain(html)
    for wanted in (
        "2 positive", "1 negative", "0 neutral", "1 without a judgement", "2 spans not in the text",
        "1 answer without format", "1 not asked", "in 5 reviews", "Not in the text: “ wine ”, “ good ”",
    ):  # fmt: skip
        assert wanted in shown, (wanted, shown)


# what is shown


def test_aspects_are_marked_with_their_own_sentiment() -> None:
    html, _ = demo.many(Known(), REVIEW)
    assert marks(html) == ["pizza positive", "delicious opinion", "waiter negative", "rude opinion"]
    assert [w for w in ("food, quality 1 positive", "service, general 1 negative") if w not in plain(html)] == []


def test_an_aspect_with_opposed_sentiments_is_marked_mixed() -> None:
    text = "Pizza: tasty, dear."
    quads = [Quad("Pizza", "FOOD#QUALITY", "tasty", "positive"), Quad("Pizza", "FOOD#PRICES", "dear", "negative")]
    assert marks(demo.many(Known({text: quads}), text)[0])[0] == "Pizza mixed"


def test_implicit_aspects_are_listed() -> None:
    html, _ = demo.many(
        Known({"Overpriced!": [Quad(None, "RESTAURANT#PRICES", "Overpriced", "negative")]}), "Overpriced!"
    )
    assert marks(html) == ["Overpriced negative opinion"]
    assert "Judged without being named: restaurant, prices negative" in plain(html)
    assert "(implicit) restaurant, prices Overpriced negative" in plain(html)


def test_span_offsets_of_a_later_sentence_count_from_the_review_start() -> None:
    html, judged = demo.many(Known(), f"It rained. {REVIEW}")
    assert judged[0].text[slice(*judged[0].found[0].aspect or ())] == "pizza"
    assert marks(html)[0] == "pizza positive"


def test_bar_widths_are_proportional_and_the_number_of_bars_is_limited() -> None:
    totals = Totals.of([Judged("", tuple(Found(q) for q in [PIZZA] * 3 + [WAITER]))])
    html = rendering.bars(totals.categories)
    assert re.findall(r"width: ([\d.]+)%", html) == ["100.00", "33.33"]
    many = {f"X#Y{i:03}": totals.categories["FOOD#QUALITY"] for i in range(100)}
    assert rendering.bars(many).count('class="count"') == rendering.MAX_BARS + 1 and "76 more" in rendering.bars(many)


@pytest.mark.parametrize(
    ("pasted", "line"),
    [
        ("", "Paste one review a line."),
        (" \n\n", "Paste one review a line."),
        (None, "Paste one review a line."),
        ("...", "There is no word in it."),
        ("a" * 50_000, "A text has at most 5,000 characters here, this one has 50,000."),
        ("ok\n" * 201, "201 lines; this page takes 200 at a time. Send more as a file."),
        (f"{'a' * 4_000}\n" * 13, "52,000 characters; this page takes 50,000 at a time. Send more as a file."),
    ],
)  # fmt: skip
def test_invalid_input_gets_a_message_and_never_reaches_the_model(pasted: Any, line: str) -> None:
    predictor = Known()
    html, judged = demo.many(predictor, pasted)
    assert plain(html) == line and not judged and not predictor.asked


def test_unusual_characters_keep_offsets_and_control_characters_are_removed() -> None:
    text = "😀👩‍🍳 pizza\u202e was \x00 tasty \x1b[0m; الطعام لذيذ 👍🏽"
    quads = [Quad("pizza", "FOOD#QUALITY", "tasty", "positive"), Quad("الطعام", "FOOD#QUALITY", "لذيذ", "positive")]
    (one,) = judge(Known({text: quads}), [text], 5_000)
    assert [text[slice(*at)] for f in one.found for at in (f.aspect, f.opinion) if at] == [
        "pizza",
        "tasty",
        "الطعام",
        "لذيذ",
    ]
    html = rendering.result([one])
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", html)
    assert "👩‍🍳" in html and 'dir="auto"' in html


def test_html_in_reviews_and_answers_is_escaped(tmp_path: Path) -> None:
    quads = [Quad(BAD, BAD, BAD, "negative")]
    for text, said in ((BAD, quads), (f"good {BAD}", quads), ("x", quads), ("x", BAD)):
        html, judged = demo.many(Known({text: said}), text)
        assert "<img" not in html and judged
    source = tmp_path / "a.txt"
    source.write_text(f"{BAD}\n" * 3)
    assert "<img" not in "".join(html for html, *_ in demo.whole_file(Known({BAD: quads}), str(source), tmp_path))
    assert "<img" not in last_of(f"{tmp_path}/{BAD}.pdf", tmp_path)[0]
    assert "<img" not in correction_tab.kept_one(BAD, [[BAD] * 4], "restaurant", False, [])[0]
    assert "<img" not in correction_tab.kept_one(BAD, [[BAD, "X#Y", BAD, "positive"]], "restaurant", True, [])[0]
    assert "<img" not in correction_tab.listed([correction.kept_line(BAD, [Quad(BAD, BAD, BAD, "negative")], "laptop")])


# what is saved


def test_saved_csv_and_json_match_the_predictions(tmp_path: Path) -> None:
    predictor = Known(
        {"One.": "gibberish", "Loved!": [Quad(None, "FOOD#QUALITY", "Loved", "positive")], REVIEW: [PIZZA]}
    )
    _, judged = demo.many(predictor, f"{REVIEW}\nOne.\nNothing.\n...\nLoved!")
    table, objects = file_extraction.save(judged, tmp_path)
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    assert [(r["line"], r["aspect"], r["sentiment"], r["note"][:22]) for r in rows] == [
        ("1", "pizza", "positive", ""),
        ("2", "", "", "answer without format:"),
        ("3", "", "", "no judgement"),
        ("4", "", "", "not asked: There is no"),
        ("5", "NULL", "positive", ""),
    ]
    assert REVIEW[int(rows[0]["aspect_start"]) : int(rows[0]["aspect_end"])] == "pizza"
    values = json.loads(objects.read_text())
    assert [value["text"] for value in values] == [one.text for one in judged]
    assert values[0]["quads"] == [{part: getattr(PIZZA, part) for part in PARTS} | {"aspect_at": [4, 9],
                                  "opinion_at": [14, 23]}]  # fmt: skip
    assert values[1]["invalid"] and values[3]["error"] and values[4]["quads"][0]["aspect"] is None


def test_saved_csv_cells_are_escaped_against_spreadsheet_formulas(tmp_path: Path) -> None:
    text = '=HYPERLINK("http://x";"y") good, "so"'
    judged = judge(Known({text: [Quad("=HYPERLINK", "FOOD#QUALITY", "good", "positive")]}), [text], 5_000)
    table, _ = file_extraction.save(judged, tmp_path)
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
    html, table, objects = last_of(str(source), tmp_path)
    assert table and objects
    made = [json.loads(line) for line in objects.read_text().splitlines()]
    assert [one["line"] for one in made] == [1, 2, 3, 4, 5, 6]
    assert made[0]["id"] == 7 and made[0]["quads"][0]["aspect"] == "pizza" and made[0]["given"] == {"quads": "mine"}
    assert ["error" in one for one in made] == [False, True, True, True, False, True]
    assert [row["line"] for row in csv.DictReader(table.read_text("utf-8-sig").splitlines())] == list("1123456")
    for wanted in (
        "1 positive",
        "4 not asked",
        "1 without a judgement",
        "line 2 No",
        "line 3 A text has at most 50,000",
    ):
        assert wanted in plain(html), (wanted, plain(html))


def test_a_file_is_predicted_in_batches_and_offered_once_complete(tmp_path: Path) -> None:
    source, predictor = tmp_path / "in.txt", Known()
    source.write_text(f"{REVIEW}\n" * 1_000)
    told = [(html, table) for html, table, _ in demo.whole_file(predictor, str(source), tmp_path)]
    assert predictor.largest == file_extraction.TOGETHER and len(told) == 5 + 1
    assert [table for _, table in told[:-1]] == [None] * 5, "a file is offered before it is whole"
    for (html, _), done in zip(told, (200, 400, 600, 800), strict=False):
        assert f"{done} reviews judged" in html
    shares = [float(re.findall(r'value="([\d.]+)"', html)[0]) for html, _ in told[:-1]]
    assert shares == sorted(shares) and shares[-1] == 1
    assert "1,000 positive" in told[-1][0] and "in 1,000 reviews" in told[-1][0]
    assert len((tmp_path / "in.judged.jsonl").read_text().splitlines()) == 1_000


@pytest.mark.parametrize("name", ["a.pdf", "a.csv", "a.txt"])
def test_an_unusable_file_gets_a_message(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("stars\n5\n" if name == "a.csv" else "\n")
    html, table, objects = last_of(str(tmp_path / name), tmp_path)
    assert plain(html).startswith("This file cannot be answered:") and table is objects is None
    assert plain(last_of(None, tmp_path)[0]) == "Choose a file of reviews first."


# what is corrected


def test_predictions_are_unchanged_by_the_correction_table() -> None:
    (judged,) = judge(Known(), [REVIEW], 5_000)
    assert correction.read_table(REVIEW, correction.table_of(judged), "restaurant") == [PIZZA, WAITER]
    wider = [[*cells, ""] for cells in correction.table_of(judged)]  # a page lets a person add a column
    assert correction.read_table(REVIEW, wider, "restaurant") == [PIZZA, WAITER]
    with pytest.raises(ZooError, match="5 cells"):
        correction.read_table(REVIEW, [[*wider[0][:4], "x"]], "restaurant")
    assert correction_tab.take(0, [judged])[:2] == (REVIEW, correction.table_of(judged))
    assert correction_tab.take(None, [judged])[:2] == correction_tab.take(3, [])[:2] == ("", [[""] * 4])


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
    ("row", "wanted"),
    [
        (["wine", "FOOD#QUALITY", "", "positive"], 'row 2: the aspect "wine"; expected words of the text; or leave'),
        (["Pizza", "FOOD#QUALITY", "", "positive"], 'write it as the text does: "pizza"'),
        (["", "FOOD#QUALITY", "awful", "positive"], 'row 2: the opinion "awful"'),
        (["pizza", "FOOD#QUALTY", "", "positive"], 'row 2: the category "FOOD#QUALTY"; did you mean "FOOD#QUALITY"?'),
        (["pizza", "", "", "positive"], "row 2: no category"),
        (["pizza", "FOOD#QUALITY", "", "happy"], 'row 2: no sentiment "happy"'),
        (["pizza", "FOOD#QUALITY", "", "conflict"], 'row 2: no sentiment "conflict"'),
        (["pizza", "FOOD#QUALITY", "", ""], "row 2: no sentiment; expected one of positive, negative, neutral"),
        (["waiter", "SERVICE#GENERAL", "rude", "negative"], "row 2: the same judgement as in a row above"),
    ],
)
def test_an_invalid_correction_is_rejected_with_a_reason(row: list[str], wanted: str) -> None:
    table = [["waiter", "SERVICE#GENERAL", "rude", "negative"], row]
    html, lines = correction_tab.kept_one(REVIEW, table, "restaurant", False, ["old"])
    assert "✗ not kept" in html and wanted in unescape(html) and lines == ["old"]


@pytest.mark.parametrize("text", ["", " ...", "a" * 1_001, "bad \ud800"])
def test_a_text_unfit_for_training_is_neither_saved_nor_predicted(text: str) -> None:
    html, lines = correction_tab.kept_one(text, [], "restaurant", False, [])
    assert "✗ not kept" in html and not lines
    predictor = Known()
    assert correction_tab.asked(predictor, text)[0] == [[""] * 4] and not predictor.asked


def test_a_custom_category_is_saved_only_when_allowed() -> None:
    table = [["pizza", "CRUST#THICKNESS", "delicious", "positive"]]
    assert "✗ not kept" in correction_tab.kept_one(REVIEW, table, "restaurant", False, [])[0]
    assert "✓ kept" in correction_tab.kept_one(REVIEW, table, "restaurant", True, [])[0]


def test_the_message_on_an_unknown_category_is_short() -> None:
    for named, wanted in (
        ("BATTERY#LIFE", "one of BATTERY#GENERAL, BATTERY#PRICE"),
        ("SOUL#X", "one of LAPTOP, DISPLAY"),
    ):
        html, _ = correction_tab.kept_one(REVIEW, [["", named, "", "positive"]], "laptop", False, [])
        assert wanted in plain(html) and len(plain(html)) < 500


def test_a_text_saved_again_replaces_itself_and_at_most_500_are_saved() -> None:
    _, lines = correction_tab.kept_one(REVIEW, [], "restaurant", False, [])
    html, lines = correction_tab.kept_one(
        f" {REVIEW} ", [["pizza", "FOOD#QUALITY", "", "neutral"]], "restaurant", False, lines
    )
    assert "in place of the earlier one" in html and len(lines) == 1
    full = [correction.kept_line(f"text {i}", [], "laptop") for i in range(correction.MAX_KEPT)]
    with pytest.raises(ZooError, match="500 texts"):
        correction.keep(full, correction.kept_line("one more", [], "laptop"))


def test_an_added_row_fills_a_blank_row_and_keeps_the_others() -> None:
    table, aspect, opinion = correction_tab.added(
        [["a", "b", "c", "d"], ["", "", "", ""]], "pizza", None, "", "neutral"
    )
    assert table == [["a", "b", "c", "d"], ["pizza", "", "", "neutral"]] and aspect == opinion == ""


def test_the_category_lists_contain_every_category_of_the_world() -> None:
    for row in world.generate(1_000, 1, "train"):
        for quad in from_json(row["gold"]):
            assert quad.category is None or quad.category in correction.CATEGORIES[row["domain"]]


def kept_rows(folder: Path) -> Path:
    lines = list[str]()
    for number, row in enumerate(world.generate(60, 2, "train", world.Settings(tasks=("asqp",)))):
        quads = [
            q for q in from_json(row["gold"]) if all(s is None or s in row["input"] for s in (q.aspect, q.opinion))
        ]
        table = [[getattr(quad, part) or "" for part in PARTS] for quad in quads]
        html, lines = correction_tab.kept_one(f"{row['input']} ({number})", table, row["domain"], False, lines)
        assert "✓ kept" in html, html
    return correction_tab.saved(lines, folder)


def test_saved_corrections_are_read_as_the_same_training_rows(tmp_path: Path) -> None:
    path = kept_rows(tmp_path)
    found = [row for _, row in sources.gold(path, "asqp") or ()]
    for line, row in zip(path.read_text().splitlines(), found, strict=True):
        value = json.loads(line)
        quads = from_json(json.dumps(value["quads"]))
        wanted = prompts.write(value["text"], quads, "asqp", 0, value["domain"])
        assert {name: row[name] for name in ("input", "output", "gold", "domain")} == {
            name: wanted[name] for name in ("input", "output", "gold", "domain")
        }


def test_a_model_trained_on_saved_corrections_works_in_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "runs"))
    overrides = [
        "data.sources=[own]", f"data.path={kept_rows(tmp_path)}", "data.world={}", "train.steps=2", "train.batch=4",
        "model.backbone=scratch:t5-1x32", "model.vocabulary=512", "evaluate.limit=4", "decode.max_new_tokens=4",
    ]  # fmt: skip
    assert api.train("absa/tiny", overrides, run_id="own", quiet=True)["steps"] == 2
    predictor = Predictor.load(domains.get("absa"), tmp_path / "runs" / "absa" / "tiny" / "own")
    html, judged = demo.many(predictor, f"{REVIEW}\n{'word ' * 900}")
    assert not judged[0].fault and "at most 256" in judged[1].fault, "a model of the house cannot be asked"
    assert "1 not asked" in plain(html)


def test_the_demo_builds_for_a_recipe() -> None:
    demo.build(Known(recipe=recipes.load("absa/small"))).close()


def test_each_reply_is_matched_to_its_own_sentence() -> None:
    asked = questions("Good wine. Good wine.")
    said = [prompts.answer([Quad("wine", "DRINKS#QUALITY", "Good", "positive")], "asqp"), "nothing"]
    (found,) = gather("Good wine. Good wine.", asked, said).found
    assert found.aspect == (5, 9)
    with pytest.raises(ValueError, match="shorter"):
        gather("Good wine. Good wine.", asked, said[:1])
