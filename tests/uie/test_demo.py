"""The demo without a browser: reading labels, combining answers over sentences, the relation graph, files."""

from __future__ import annotations

import itertools
import json
import random
import re
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import recipe as recipes
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.uie import demo, prompts, schema
from instructzoo.uie.answers import of_extraction
from instructzoo.uie.data.readers import json_formats
from instructzoo.uie.demo import file_extraction, file_tab, graph_layout, relation_graph, rendering, text_tab
from instructzoo.uie.demo.predictors import Models
from instructzoo.uie.demo.presets import presets, presets_for
from instructzoo.uie.extraction import MAX_LABELS, Schema, extract, read_schema
from instructzoo.uie.prompts import answer_format
from instructzoo.uie.schema import Annotation, Event, Mention, Relation
from instructzoo.uie.world import entity_names, fact_templates

LABELS = ("person, city", "lives in", "move: mover, goal\nsale: seller")
SCHEMA = read_schema(*LABELS)
ANN = Annotation(
    (Mention("person", "Ann"), Mention("city", "Oslo")),
    (Relation("lives in", Mention("", "Ann"), Mention("", "Oslo")),),
    (Event("move", Mention("", "moved"), (Mention("mover", "Ann"), Mention("goal", "Oslo"))),),
)
SENTENCE = "Ann moved to Oslo."


@dataclass(frozen=True)
class FakePredictor:
    """A predictor that knows some sentences, finds nothing in others, and refuses long ones."""

    annotations: Mapping[str, Annotation] = field(default_factory=lambda: {SENTENCE: ANN})
    text: str | None = None
    longest: int = 1000
    recipe: Recipe = field(default_factory=lambda: recipes.load("uie/bundled-base"))
    scores: dict[str, Any] | None = None
    model: None = None
    notice: str = ""
    constrained: bool | None = None
    asked_inputs: list[str] = field(default_factory=list)

    def with_constraints(self, constrained: bool) -> FakePredictor:
        return replace(self, constrained=constrained)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        if long := max((len(row["input"]) for row in rows if len(row["input"]) > self.longest), default=0):
            raise ZooError(f"a question of {long} characters", f"at most {self.longest}", "shorten it")
        self.asked_inputs.extend(row["input"] for row in rows)
        return [self._answer(row) for row in rows]

    def _answer(self, row: Row) -> str:
        if self.text is not None:
            return self.text
        annotation = self.annotations.get(row["input"], Annotation())
        return answer_format.format_answer(schema.project(annotation, row["task"], prompts.labels_of(row)), row["task"])


def write_lines(folder: Path, lines: Sequence[str], name: str = "texts.txt") -> Path:
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run_file(predictor: Any, source: Path) -> tuple[file_extraction.Progress, list[dict[str, Any]], list[float]]:
    """Extract from a file: the progress at the end, the lines that were written, the fractions that were reported."""
    target, fractions = source.with_suffix(".found.jsonl"), list[float]()
    for outcome in file_extraction.extract_file(predictor, source, target, SCHEMA):
        fractions.append(outcome.fraction)
    return outcome, [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()], fractions


def last_page(path: Path | None, folder: Path) -> tuple[str, Path | None]:
    """What the page shows when a file is done."""
    *_, last = file_tab.answer_file(Models(FakePredictor()), path and str(path), LABELS, True, folder)
    return last


# labels


def test_written_labels_are_parsed_into_a_schema() -> None:
    schema = read_schema(" person,\n city ; date of  birth", "lives in", "attack: attacker, victim\n\n rain \n")
    assert schema.entities == ("person", "city", "date of birth")
    assert schema.relations == ("lives in",)
    assert schema.events == {"attack": ("attacker", "victim"), "rain": ()}
    assert read_schema("人物, مدينة, 🏙 town", "", "").entities == ("人物", "مدينة", "🏙 town")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("", "", ""), "no label"),
        ((" , ;", "\n", " "), "no label"),
        (("city, city", "", ""), '"city" stands twice'),
        (("", "", "move: goal\nmove"), '"move" stands twice'),
        (("", "", "move: goal, goal"), 'role of "move" "goal" stands twice'),
        (("", "", ": goal"), "as an event"),
        (("", "", "move, sale: goal"), "as an event"),
        (("x" * 61, "", ""), "61 characters"),
        (("per\x07son", "", ""), "words that can be read"),
        (("..., city", "", ""), "words that can be read"),
        ((", ".join(map(str, range(MAX_LABELS + 1))), "", ""), f"at most {MAX_LABELS}"),
        (("", "", "\n".join(map(str, range(MAX_LABELS + 1)))), f"at most {MAX_LABELS}"),
    ],
)
def test_invalid_labels_get_a_message_and_never_reach_the_model(labels: tuple[str, str, str], message: str) -> None:
    predictor = FakePredictor()
    html = text_tab.answer_text(Models(predictor), SENTENCE, *labels)
    assert message in html.replace("&quot;", '"') and html.count("\n") == 0
    assert not predictor.asked_inputs


COMMON = ("Systems", "Motors", "Police", "Officials", "Rovers", "United", "University", "Friday")


def test_presets_use_labels_of_the_world_and_names_of_the_test_split() -> None:
    for name, preset in presets().items():
        labels = read_schema(*preset[:3])
        assert set(labels.entities) <= set(entity_names.TYPES), name
        assert set(labels.relations) <= set(fact_templates.relation_labels()), name
        assert all(set(roles) <= set(fact_templates.event_roles()[event]) for event, roles in labels.events.items()), (
            name
        )
        made_up = [w for w in re.findall(r"\w+", preset.example) if (w[0].isupper() or "itis" in w) and w not in COMMON]
        assert made_up and {entity_names.split_of(word.lower()) for word in made_up} == {"test"}, (name, made_up)


def test_examples_are_those_of_the_kind_of_the_model() -> None:
    made_up = presets_for(recipes.load("uie/bundled-base"))
    everyday = presets_for(recipes.load("uie/tiny", ["data.sources=[conll04]", "data.path=."]))
    assert made_up == presets() and not made_up.keys() & everyday.keys()
    first = next(iter(everyday.values()))
    assert first.example == "Tim Cook, the chief executive of Apple, visited Paris on Monday."
    assert read_schema(*first[:3]).entities == ("person", "company", "city")
    for preset in everyday.values():
        read_schema(*preset[:3])


# one text


def test_span_offsets_count_from_the_start_of_the_text() -> None:
    text = f"  Nothing here! {SENTENCE}\n\n{SENTENCE}  "
    annotation = extract(FakePredictor(), text, SCHEMA).annotation
    spans = [m for e in annotation.events for m in (e.trigger, *e.arguments)]
    spans += [*annotation.entities, *(side for r in annotation.relations for side in (r.head, r.tail))]
    assert len(spans) == 2 * (3 + 2 + 2)
    assert {text[m.start : m.end] for m in spans} == {"Ann", "Oslo", "moved"}
    assert all(text[m.start : m.end] == m.text for m in spans)
    assert len({m.start for m in annotation.entities}) == 4


def test_only_tasks_with_labels_are_predicted() -> None:
    predictor = FakePredictor()
    extract(predictor, SENTENCE, read_schema("person", "", ""))
    assert len(predictor.asked_inputs) == 1
    assert extract(predictor, SENTENCE, read_schema("", "", "move")).annotation.events[0].arguments == ()


def test_invented_spans_labels_and_roles_are_reported_as_such() -> None:
    events = Event("move", Mention("", "moved"), (Mention("seller", "Ann"), Mention("bishop", "Bo")))
    invented = Annotation((Mention("person", "Zed"), Mention("planet", "Oslo")), (), (events,))
    unknown = schema.Labels(("person", "planet"))
    texts = {
        "ner": answer_format.format_answer(schema.project(invented, "ner", unknown), "ner"),
        "ee": answer_format.format_answer(invented, "ee"),
    }

    class Liar(FakePredictor):
        def _answer(self, row: Row) -> str:
            return texts.get(row["task"], "lives in Oslo")

    extraction = extract(Liar(), SENTENCE, SCHEMA)
    assert len(extraction.notes) == 4, extraction.notes
    expected = ("1 answer in the wrong format", "Zed (person)", "planet", "seller of move")
    assert all(word in note for word, note in zip(expected, extraction.notes, strict=True)), extraction.notes
    assert "“bishop”" in extraction.notes[2]
    record = of_extraction(extraction).to_dict()
    assert [m["text"] for m in record["entities"]] == ["Oslo"]
    assert {"type": "person", "text": "Zed"} in record["unplaced"]
    assert {"event": "move", "role": "bishop", "text": "Bo"} in record["unplaced"]
    html = rendering.extraction_html(extraction, SCHEMA)
    assert "Zed" in html and "not in the text" in html.casefold() and "planet" in html


def test_a_repeated_mention_that_occurs_once_is_merged_and_reported() -> None:
    extraction = extract(
        FakePredictor(text=" person: Ann; person: Ann; city: Oslo"), SENTENCE, read_schema("person, city", "", "")
    )
    assert [m.text for m in extraction.annotation.entities] == ["Ann", "Oslo"]
    assert extraction.notes == ("repeated more often than the text has it: “Ann (person)”",)


def test_the_json_output_is_read_back_as_the_same_annotation(tmp_path: Path) -> None:
    extraction = extract(FakePredictor(), f"😀 Yes! {SENTENCE} Nobody stayed. {SENTENCE}", SCHEMA)
    path = write_lines(tmp_path, [json.dumps(of_extraction(extraction).to_dict())], "own.jsonl")
    (sentence,) = json_formats.read_offsets(path)
    assert (sentence.text, sentence.annotation) == (extraction.text, extraction.annotation)
    assert schema.count(sentence.annotation) == 4 + 2 + 2 + 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "There is no word in it."),
        (" \n\t", "There is no word in it."),
        ("…!", "There is no word in it."),
        (None, "There is no word in it."),
        ("a" * 50_000, "at most 5,000 characters here, this one has 50,000. A file takes longer texts."),
        ("Ann \ud83d moved", "half of a character pair (U+D83D)"),
    ],
    ids=["empty", "blank", "signs", "none", "long", "half"],
)
def test_invalid_text_gets_a_message_and_never_reaches_the_model(text: Any, says: str) -> None:
    predictor = FakePredictor()
    assert says in text_tab.answer_text(Models(predictor), text, *LABELS)
    assert not predictor.asked_inputs


def test_a_sentence_too_long_for_the_model_gets_a_message() -> None:
    assert "a question of 1999 characters" in text_tab.answer_text(Models(FakePredictor()), "word " * 400, *LABELS)


@pytest.mark.parametrize(
    ("sentence", "span"),
    [
        ("آن تعيش في أوسلو.", "أوسلو"),
        ("👩‍👩‍👧 Zoë moved 🏙️ fast.", "Zoë"),
        ("A\x00B\x1b[31m met C\u202eD\u2066 there.", "C\u202eD\u2066"),
        ("若い人が東京に住む。", "東京"),
    ],
    ids=["right-to-left", "emoji", "control", "japanese"],
)
def test_non_ascii_text_keeps_offsets_and_control_characters_are_removed(sentence: str, span: str) -> None:
    truth = Annotation((Mention("person", span),), (Relation("lives in", Mention("", span), Mention("", span)),))
    extraction = extract(FakePredictor({sentence: truth}), f"First. {sentence}", SCHEMA)
    (mention,) = extraction.annotation.entities
    assert extraction.text[mention.start : mention.end] == span
    html = rendering.extraction_html(extraction, SCHEMA)
    assert not re.search(r"[\x00\x1b\u202e\u2066]", html)
    record = json.loads(json.dumps(of_extraction(extraction).to_dict()))
    assert record["entities"] == [{"type": "person", "text": span, "start": mention.start, "end": mention.end}]


def test_the_page_names_the_kinds_of_labels_that_nothing_was_found_for() -> None:
    def hints(truth: Annotation) -> list[str]:
        html = rendering.extraction_html(extract(FakePredictor({SENTENCE: truth}), SENTENCE, SCHEMA), SCHEMA)
        return re.findall(r"(N[^<]* found [^<]*)</p>", html)

    name = SENTENCE.split()[0]
    assert SCHEMA.entities and SCHEMA.relations and SCHEMA.events
    assert hints(Annotation()) == ["Nothing found for these labels."]
    assert hints(Annotation((Mention("person", name),))) == ["No relations or events found for these labels."]


def test_html_in_text_labels_and_answers_is_escaped() -> None:
    bad = "<img src=x onerror=alert(1)>"
    truth = Annotation(
        (Mention("a<i>b", bad),),
        (Relation("<u>r", Mention("", bad), Mention("", bad)),),
        (Event("<s>e", Mention("", bad), (Mention("<em>", bad),)),),
    )
    sentence = f"Look {bad} there"
    html = text_tab.answer_text(
        Models(FakePredictor({sentence: truth})), sentence, "a<i>b", "<u>r", "<s>e: <em>", True, True
    )
    assert html.count("uie-event") == 1 and "<svg" in html
    for tag in ("<img", "<i>", "<u>", "<s>", "<em>"):
        assert tag not in html, tag
    assert "<img" not in text_tab.answer_text(Models(FakePredictor(text=bad)), sentence, *LABELS)


def test_decoding_is_constrained_by_default_and_the_switch_works() -> None:
    seen: list[bool | None] = []

    class Watched(FakePredictor):
        def answer(self, rows: Sequence[Row]) -> list[str]:
            seen.append(self.constrained)
            return super().answer(rows)

    models = Models(Watched())
    text_tab.answer_text(models, SENTENCE, *LABELS)
    text_tab.answer_text(models, SENTENCE, *LABELS, False)
    text_tab.answer_text(models, SENTENCE, *LABELS, True, True)
    assert seen == [True, False, True, False]
    assert len(models.by_constraint) == 2, "a predictor is made for every question"


def test_labels_unseen_in_training_are_reported() -> None:
    models = Models(FakePredictor())
    assert "The model was not trained on: planet, orbits." in text_tab.answer_text(
        models, SENTENCE, "city, planet", "orbits", ""
    )
    assert "not trained on" not in text_tab.answer_text(models, SENTENCE, *next(iter(presets().values()))[:3])
    corpus = recipes.load("uie/tiny", ["data.sources=[own]", "data.path=."])
    assert "not trained on" not in text_tab.answer_text(
        Models(FakePredictor(recipe=corpus)), SENTENCE, "planet", "", ""
    )


# the graph

NEAR = 0.01
"""Tolerance for rounding, in pixels."""


def random_relations(rng: random.Random) -> list[Relation]:
    words = ["Ann", "The Society of Very Long Names Ltd", "東京大学", "b", "مؤسسة الأمل", "Ångström & Sons", "😀 Inc"]
    nodes = [Mention("", f"{rng.choice(words)}{i}", 10 * i, 10 * i + 5) for i in range(rng.randint(2, 12))]
    ends = [(rng.choice(nodes), rng.choice(nodes)) for _ in range(rng.randint(1, 16))]
    return [Relation(rng.choice(["knows", "is part of", "was the predecessor of"]), a, b) for a, b in ends]


def boxes_of(graph: graph_layout.GraphLayout) -> list[tuple[float, float, float, float]]:
    """(left, top, right, bottom) of boxes, then of names."""
    boxes = [(b.left, b.top, b.left + b.width, b.top + b.height) for b in graph.boxes]
    return boxes + [
        (a.label_left, a.label_middle - 16, a.label_left + graph_layout.text_width(a.label), a.label_middle - 2)
        for a in graph.arrows
    ]


def points(path: str) -> list[tuple[float, float]]:
    """Points along an SVG path of the commands M, H, V, C and Q."""
    positions, current = list[complex](), 0j
    for command, numbers in re.findall(r"([MHVCQ])([^MHVCQ]*)", path):
        n = list(map(float, numbers.split()))
        if command in "HV":
            hull = [current, complex(n[0], current.imag) if command == "H" else complex(current.real, n[0])]
        else:
            hull = [current] * (command != "M") + [complex(x, y) for x, y in zip(n[::2], n[1::2], strict=True)]
        positions += [_bezier(hull, i / 20) for i in range(21)]
        current = hull[-1]
    return [(position.real, position.imag) for position in positions]


def _bezier(hull: list[complex], t: float) -> complex:
    while hull[1:]:
        hull = [(1 - t) * a + t * b for a, b in itertools.pairwise(hull)]
    return hull[0]


def test_boxes_names_and_arrows_of_the_graph_do_not_overlap() -> None:
    rng = random.Random(3)
    for _ in range(60):
        relations = random_relations(rng)
        graph = graph_layout.lay_out(relations, {})
        rectangles = boxes_of(graph)
        for i, (left, top, right, bottom) in enumerate(rectangles):
            assert left >= 0 and top >= 0 and right <= graph.width and bottom <= graph.height, relations
            for earlier in rectangles[:i]:
                apart = left >= earlier[2] or earlier[0] >= right or top >= earlier[3] or earlier[1] >= bottom
                assert apart, (relations, rectangles[i], earlier)
        for arrow in graph.arrows:
            for x, y in points(arrow.path):
                assert not any(
                    b.left + NEAR < x < b.left + b.width - NEAR and b.top + NEAR < y < b.top + b.height - NEAR
                    for b in graph.boxes
                ), (relations, arrow)


def test_the_graph_draws_every_relation_from_head_to_tail() -> None:
    rng = random.Random(4)
    for _ in range(60):
        relations = random_relations(rng)
        graph = graph_layout.lay_out(relations, {})
        drawn = {(a.edge, label) for a in graph.arrows for label in a.label.split(", ")}
        assert drawn == {((graph_layout.node_of(r.head), graph_layout.node_of(r.tail)), r.type) for r in relations}
        at = {b.node: b for b in graph.boxes}
        for arrow in graph.arrows:
            ends = points(arrow.path)
            start, end = (ends[-1], ends[0]) if arrow.reversed else (ends[0], ends[-1])
            for node, (x, y) in zip(arrow.edge, (start, end), strict=True):
                box = at[node]
                assert min(abs(x - box.left), abs(x - box.left - box.width)) < NEAR, arrow
                assert box.top <= y <= box.top + box.height, arrow


def test_a_graph_that_is_cut_says_how_many_relations_are_left_out() -> None:
    people = [Mention("", f"n{i}", i, i + 1) for i in range(40)]
    relations = [Relation("next", a, b) for a, b in itertools.pairwise(people)]
    html = relation_graph.graph_html(relations, (), {})
    assert html.count("<rect") == relation_graph.MAX_NODES
    assert f"{39 - (relation_graph.MAX_NODES - 1)} more in the JSON" in html
    assert relation_graph.graph_html((), (), {}) == ""


# a file


def test_every_line_of_a_file_is_answered_in_order(tmp_path: Path) -> None:
    lines = [SENTENCE, "", "Nobody stayed.", "", f"{SENTENCE} {SENTENCE}"] * 40
    progress, records, fractions = run_file(FakePredictor(), write_lines(tmp_path, lines))
    assert [line["line"] for line in records] == [i for i, line in enumerate(lines, 1) if line]
    assert (progress.texts, progress.faults.count) == (120, 0)
    assert progress.counts == {"entities": 40 * 6, "relations": 40 * 3, "events": 40 * 3}
    assert fractions == sorted(fractions) and 0 < fractions[0] < 0.5 and fractions[-1] == 1
    for line in records:
        for m in line["entities"]:
            assert line["text"][m["start"] : m["end"]] == m["text"]


def test_a_bad_line_of_a_file_is_an_error_of_its_own_only(tmp_path: Path) -> None:
    lines = [
        json.dumps({"text": SENTENCE, "id": "a", "more": [1]}),
        '{"text": 5}',
        "{broken",
        json.dumps({"text": SENTENCE, "entities": []}),
        json.dumps({"text": "x" * 50_001}),
        json.dumps({"text": "word " * 400, "id": "long"}),
        '{"text": "half \\ud83d pair"}',
        "[1, 2]",
        json.dumps({"sentence": SENTENCE}),
    ]
    progress, records, _ = run_file(FakePredictor(), write_lines(tmp_path, lines, "texts.jsonl"))
    assert [line["line"] for line in records] == list(range(1, 10))
    assert [line["line"] for line in records if "error" not in line] == [1, 9]
    assert (records[0]["id"], records[0]["more"], len(records[0]["entities"])) == ("a", [1], 2)
    assert "a question of 1999 characters" in records[5]["error"] and records[5]["id"] == "long"
    assert '"entities"' in records[3]["error"]
    assert (progress.texts, progress.faults.count, [name for name, _ in progress.faults.first]) == (
        2, 7, ["line 2", "line 3", "line 4", "line 5", "line 6"]
    )  # fmt: skip
    html, path = last_page(tmp_path / "texts.jsonl", tmp_path)
    assert path and "✓ 2 texts answered" in html and "✗ 7 not answered" in html and "2 more" in html


def test_every_entity_in_50_000_characters_is_found_at_its_offset(tmp_path: Path) -> None:
    text = f"{SENTENCE} " * (50_000 // (len(SENTENCE) + 1))
    _, (record,), _ = run_file(FakePredictor(), write_lines(tmp_path, [text]))
    assert len(record["entities"]) == 2 * text.count("Ann")
    assert all(text[m["start"] : m["end"]] == m["text"] for m in record["entities"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", "x", "a file that ends in"),
        ("a.txt", "\n \n", "holds no text"),
        ("a.csv", "n,m\n1,2\n", "the columns n, m"),
    ],
)
def test_an_unusable_file_gets_a_message_and_leaves_no_output(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = write_lines(tmp_path, [content], name)
    html, result = last_page(path, tmp_path)
    assert message in html and result is None
    assert list(tmp_path.iterdir()) == [path], "an incomplete file is left"
    assert "Choose a file" in last_page(None, tmp_path)[0]


def test_peak_memory_less_than_doubles_for_a_ten_times_longer_file(tmp_path: Path) -> None:
    peaks = []
    for lines in (60, 600):
        source = write_lines(tmp_path, [f"{SENTENCE} Line {i}." for i in range(lines)])
        predictor = FakePredictor(asked_inputs=Forgetful())
        tracemalloc.start()
        for progress in file_extraction.extract_file(predictor, source, tmp_path / "out", SCHEMA):
            texts = progress.texts
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert texts == lines
    assert peaks[1] < 2 * peaks[0], peaks  # garbage comes and goes; rows that are kept make it sevenfold


class Forgetful(list[str]):
    """A list that keeps nothing: the predictor's own notes are not the demo's memory."""

    def extend(self, values: Any) -> None:
        pass


def test_the_demo_builds_for_a_recipe() -> None:
    for name in ("tiny",):
        demo.build(FakePredictor(recipe=recipes.load(f"uie/{name}"))).close()


def test_event_options_list_every_event_and_every_role_once() -> None:
    assert Schema(events={"move": ("mover", "goal"), "sale": ("goal",)}).options("ee") == {
        "events": ["move", "sale"],
        "roles": ["mover", "goal"],
    }
