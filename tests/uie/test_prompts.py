"""Prompts and answers of extraction: what was written is read back unchanged, whatever characters the spans have."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import permits
from instructzoo.core.record import Invalid
from instructzoo.uie import prompts, schema, world
from instructzoo.uie.prompts import answer_format, span_alignment
from instructzoo.uie.schema import TASKS, UNKNOWN, Annotation, Event, Labels, Mention, Relation

TEXT = "Ann Lee works for Acme; Ann Lee lives in Oslo."
NER: dict[str, Any] = {"task": "ner", "options": ["person", "city"], "input": TEXT}
AWKWARD = (
    ":",
    ";",
    ",",
    "(",
    ")",
    '"',
    "\\",
    "\n",
    "\r",
    "\t",
    " ",
    "a",
    "None",
    "é",
    "🙂",
    "א",
    "{}",
    "{0}",
    "\x00",
    "'",
)


def awkward(rng: random.Random) -> str:
    return "".join(rng.choice(AWKWARD) for _ in range(rng.randint(0, 6)))


def annotation(rng: random.Random, task: str) -> Annotation:
    """A random true answer to a task, with awkward spans and labels, without offsets."""

    def mention(label: str | None = None) -> Mention:
        return Mention(awkward(rng) if label is None else label, awkward(rng))

    n = rng.randint(1, 4)
    if task in schema.ENTITY_TASKS:
        return Annotation(entities=tuple(mention("" if task == "es" else None) for _ in range(n)))
    if task in schema.RELATION_TASKS:
        label = "" if task == "ep" else awkward(rng)
        return Annotation(relations=tuple(Relation(label, mention(""), mention("")) for _ in range(n)))
    if task == "eea":
        return Annotation(events=(Event("attack", Mention("", ""), tuple(mention() for _ in range(n))),))
    arguments = 0 if task == "eet" else rng.randint(0, 3)
    events = (Event(awkward(rng), mention(""), tuple(mention() for _ in range(arguments))) for _ in range(n))
    return Annotation(events=tuple(events))


@pytest.mark.parametrize("task", TASKS)
def test_written_answers_with_separators_in_spans_are_read_back_unchanged(task: str) -> None:
    rng = random.Random(task)
    for _ in range(1500):
        truth = annotation(rng, task)
        assert answer_format.parse_answer(answer_format.format_answer(truth, task), task, "attack") == truth


@pytest.mark.parametrize("task", TASKS)
def test_outputs_of_the_world_parse_back_to_their_gold(task: str) -> None:
    for row in world.generate(150, 5, "train", world.Settings(tasks={task: 1})):
        assert row["task"] == task
        answer = prompts.parse(row["output"], row)
        assert answer == prompts.Answer(schema.from_json(row["gold"]))


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_annotation_is_written_and_read_as_none(task: str) -> None:
    assert answer_format.format_answer(Annotation(), task) == "None"
    answer = prompts.parse(" None\n", {**NER, "task": task, "given": '"attack"'})
    assert answer == prompts.Answer(Annotation())
    assert schema.count(Annotation()) == 0


def test_a_span_that_is_the_word_none_is_quoted_and_read_back() -> None:
    row = prompts.make_row(
        "None left.",
        Annotation((Mention("city", "None", 0, 4),)),
        "es",
        Labels(("city",)),
        "x",
        0,
        source="x",
        licence="x",
    )
    assert row["output"] == '"None"'
    assert prompts.parse(row["output"], row) == prompts.Answer(Annotation((Mention("", "None", 0, 4),)))


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("ner", "person: Ann; city: Oslo"),
        ("es", "Ann, Oslo"),
        ("et", "person: Ann; city: Oslo"),
        ("re", "lives in: Ann, Oslo"),
        ("ep", "Ann, Oslo"),
        ("epr", "lives in: Ann, Oslo"),
        ("ee", "( attack: hit, victim: Ann, place: Oslo), ( meeting: met)"),
        ("eet", "attack: hit; meeting: met"),
        ("eea", "victim: Ann; place: Oslo"),
    ],
)
def test_answers_have_the_documented_form(task: str, expected: str) -> None:
    ann, oslo = Mention("person", "Ann", 0, 3), Mention("city", "Oslo", 20, 24)
    arguments = (Mention("place", "Oslo", 20, 24), Mention("victim", "Ann", 0, 3))
    truth = Annotation(
        (oslo, ann),
        (Relation("lives in", ann, oslo),),
        (Event("meeting", Mention("", "met", 30, 33)), Event("attack", Mention("", "hit", 4, 7), arguments)),
    )
    labels = Labels(("person", "city", "lives in", "attack", "meeting", "victim", "place"), ("victim", "place"))
    row = prompts.make_row("text", truth, task, labels, "x", 0, source="x", licence="x", event="attack")
    assert row["output"] == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "  \n", "person", "person:", "person: Ann;", "person: Ann; city", ": Ann", "person: Ann, Oslo",
        'person: "Ann', 'person: "Ann" Lee', "person: Ann: Oslo", "(person: Ann)", "person: Ann\ncity: Oslo",
        "none", "NONE", "person Ann; :",
        "person: Ann; None", '"', "\\",
    ],
)  # fmt: skip
def test_a_malformed_answer_is_invalid(text: str) -> None:
    assert isinstance(prompts.parse(text, NER), Invalid)


@pytest.mark.parametrize("text", ["( a: b", "a: b", "( a)", "(a: b),", "( a: b) ( c: d)", "()", "( a: b, c)"])
def test_a_malformed_event_answer_is_invalid(text: str) -> None:
    assert isinstance(prompts.parse(text, {"task": "ee", "input": "b"}), Invalid)


@pytest.mark.parametrize("task", TASKS)
def test_the_parser_does_not_raise_on_noise(task: str) -> None:
    rng = random.Random(task)
    row = {"task": task, "input": "a b None", "given": '"attack"'}
    for _ in range(1500):
        prompts.parse(awkward(rng) + awkward(rng) + awkward(rng), row)


@pytest.mark.parametrize("piece", ['"', "\\", "(", "a", "a: b; ", "a, ", "( a: b), ", ' "', '"\\', "a ", ": "])
@pytest.mark.parametrize("task", ["ner", "re", "ee", "es"])
def test_an_answer_of_50_000_characters_is_parsed_within_two_seconds(piece: str, task: str) -> None:
    text = (piece * 50_000)[:50_000]
    began = time.process_time()
    prompts.parse(text, {"task": task, "input": text})
    assert time.process_time() - began < 2


def test_equal_names_get_the_offsets_of_successive_occurrences() -> None:
    answer = prompts.parse("person: Ann Lee; person: Ann Lee; person: Ann Lee; city: Rome", NER)
    assert isinstance(answer, prompts.Answer)
    assert [m.start for m in answer.annotation.entities] == [0, 24, 24, UNKNOWN]


def test_whole_words_are_located_before_parts_of_words() -> None:
    assert span_alignment.find_whole_words("USA and US", "US", 0) == 8
    assert span_alignment.align_spans(Annotation((Mention("x", "SA"),)), "USA").entities[0].start == 1  # nowhere else


def test_a_head_named_in_two_relations_is_one_mention() -> None:
    row = {"task": "re", "options": ["x"], "input": TEXT}
    answer = prompts.parse("works for: Ann Lee, Acme; lives in: Ann Lee, Oslo", row)
    assert isinstance(answer, prompts.Answer)
    assert {r.head.start for r in answer.annotation.relations} == {0}


@pytest.mark.parametrize(
    "text", ["Ann 🙂 Oslo", "אן גרה באוסלו Oslo", "a\x00b\tOslo", "{Ann} {0} Oslo", "", "x" * 50_000 + " Oslo"]
)
def test_the_text_is_unchanged_in_the_prompt_and_spans_are_located_in_it(text: str) -> None:
    question, target = prompts.render({**NER, "input": text, "output": "city: Oslo"})
    assert f"Text: {text}\nAnswer:" in question.text and not question.supervised
    assert target == (" city: Oslo", True)
    answer = prompts.parse(target.text, {**NER, "input": text})
    assert isinstance(answer, prompts.Answer)
    (entity,) = answer.annotation.entities
    assert (text[entity.start : entity.end] == "Oslo") is bool(text)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"task": "ner", "options": ["a:b", "c"]}, 'Options: "a:b", c'),
        ({"options": '["a", "b"]'}, "Options: a, b"),
        ({"task": "ee", "options": {"events": ["e"], "roles": []}}, "Events: e\nRoles: "),
        ({"task": "et", "options": ["a"], "given": ["x, y", "z"]}, 'Entities: "x, y", z'),
        ({"task": "et", "options": ["a"], "given": []}, "Entities: None"),
        ({"task": "epr", "options": ["a"], "given": [["x", "y"], ["y", "z"]]}, "Pairs: x, y; y, z"),
        ({"task": "eea", "options": ["a"], "given": "attack"}, "Event: attack"),
        ({"task": "eea", "options": ["a"], "given": '"attack"'}, "Event: attack"),
    ],
)
def test_a_question_without_instruction_is_rendered_from_its_columns(row: dict[str, Any], line: str) -> None:
    (question, target) = prompts.render({"instruction": "", "input": "x y z", **row})
    assert f"\n{line}\nText: x y z\nAnswer:" in question.text
    assert question.text.splitlines()[0] and target.text == ""
    assert permits(prompts.constraint({"input": "x y z", **row}), " None")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"task": "nerd", "options": ["a"]}, 'the task "nerd"'),
        ({"task": "ner"}, "options"),
        ({"task": "ner", "options": "a, b"}, "no JSON"),
        ({"task": "ner", "options": []}, "is empty"),
        ({"task": "ner", "options": [1]}, "no list of texts"),
        ({"task": "ee", "options": ["a"]}, '"options" of ee'),
        ({"task": "eea", "options": ["a"]}, "no event type"),
        ({"task": "epr", "options": ["a"], "given": [["x"]]}, "not two spans"),
        ({"task": "epr", "options": ["a"]}, "no pairs"),
        ({"task": "et", "options": ["a"], "given": "x"}, "no JSON"),
    ],
)
def test_a_malformed_question_is_an_error(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        prompts.render({"instruction": "", "input": "x", **row})


def test_option_order_and_wording_vary_by_seed_and_are_reproducible() -> None:
    labels = Labels(("a", "b", "c", "d"))
    rows = [
        prompts.make_row("x", Annotation(), "ner", labels, "x", seed, source="x", licence="x") for seed in range(30)
    ]
    assert len({row["options"] for row in rows}) > 5
    assert all(sorted(json.loads(row["options"])) == ["a", "b", "c", "d"] for row in rows)
    assert len({row["instruction"] for row in rows}) > 2
    assert rows[0] == prompts.make_row("x", Annotation(), "ner", labels, "x", 0, source="x", licence="x")


def test_questions_on_one_sentence_have_different_ids_and_one_item() -> None:
    truth = Annotation()
    rows = [prompts.make_row("x", truth, "ner", Labels((a,)), "x", 0, source="x", licence="x") for a in "abcdefgh"]
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({row["item"] for row in rows}) == 1


def test_targets_contain_only_offered_labels_and_the_parser_keeps_others() -> None:
    truth = Annotation((Mention("person", "Ann", 0, 3), Mention("city", "Oslo", 5, 9)))
    row = prompts.make_row("Ann, Oslo", truth, "ner", Labels(("city",)), "x", 0, source="x", licence="x")
    assert row["output"] == "city: Oslo"
    answer = prompts.parse("person: Ann", row)  # kept: the scorer counts labels that were not offered
    assert answer == prompts.Answer(Annotation((Mention("person", "Ann", 0, 3),)))


def test_annotations_are_unchanged_by_json_and_malformed_json_is_an_error() -> None:
    rng = random.Random(0)
    for task in TASKS:
        truth = annotation(rng, task)
        assert schema.from_json(schema.to_json(truth)) == truth
    for broken in ("[]", "{", '{"entities": [["a"]]}', '{"entities": [["a", "b", "c", 1]]}', '{"entity": []}', "1"):
        with pytest.raises(ZooError, match="no annotation"):
            schema.from_json(broken, "file:1")


@pytest.mark.parametrize(
    ("row", "true", "false"),
    [
        ({"task": "ner", "options": ["a", "b"]}, "a: Ann; a: Ann; b: Ann", "a: Ann; a: Ann; a: Ann"),
        ({"task": "es", "options": ["a"]}, "Ann, Bo, Ann", "Bo, Bo"),
        ({"task": "et", "options": ["a", "b"], "given": ["Ann", "Bo"]}, "a: Ann; b: Bo; b: Ann", "a: Bo; a: Bo"),
        ({"task": "re", "options": ["a"]}, "a: Ann, Bo; a: Ann, Bo; a: Bo, Ann", "a: Bo, Oslo; a: Bo, Oslo"),
        ({"task": "ep", "options": ["a"]}, "Ann, Bo; Bo, Ann", "Bo, Oslo; Bo, Oslo"),
        (
            {"task": "epr", "options": ["a", "b"], "given": [["Bo", "Oslo"]]},
            "a: Bo, Oslo; b: Bo, Oslo",
            "a: Bo, Oslo; " * 2,
        ),
        ({"task": "eea", "options": ["a"], "given": "hit"}, "a: Bo; a: Bo", ""),
    ],
)
def test_the_grammar_permits_no_more_repeats_than_the_text_has(row: dict[str, Any], true: str, false: str) -> None:
    """Two mentions of Ann may both be named; two events of one type may have the same argument."""
    constraint = prompts.constraint({"input": "Ann met Bo, then Ann left Oslo", **row})
    assert permits(constraint, f" {true}") and not permits(constraint, f" {false}".removesuffix("; "))


def test_quotes_and_parts_of_words_permit_no_further_repeat() -> None:
    """A comma in the text allows quotes for every span; "Annabel" is no second Ann."""
    constraint = prompts.constraint({"task": "ner", "options": ["a"], "input": "Ann, born Bo, met Annabel"})
    assert permits(constraint, " a: Ann; a: Bo") and permits(constraint, ' a: "Ann, born"; a: Ann')
    assert not permits(constraint, ' a: Ann; a: "Ann"') and not permits(constraint, " a: Ann; a: Ann")


def test_projection_to_es_merges_the_labels_of_one_span() -> None:
    both = Annotation(
        (Mention("person", "Ann", 0, 3), Mention("chemist", "Ann", 0, 3), Mention("person", "Ann", 8, 11))
    )
    entities = schema.project(both, "es").entities
    assert entities == (Mention("", "Ann", 0, 3), Mention("", "Ann", 8, 11))


def test_every_occurrence_is_found_in_a_script_without_spaces() -> None:
    text = "東京と東京"
    aligned = span_alignment.align_spans(Annotation((Mention("city", "東京"),) * 3), text)
    assert [m.start for m in aligned.entities] == [0, 3, 3]
    assert (
        span_alignment.SpanFinder(text).count("東京") == 2
        and span_alignment.SpanFinder("Ann met Annabel").count("Ann") == 1
    )
    assert span_alignment.SpanFinder(text).count("大阪") == 0


@pytest.mark.parametrize("task", TASKS)
def test_the_grammar_permits_gold_answers_and_rejects_altered_ones(task: str) -> None:
    text = 'He said "hi: there", then (None) left; Ann\tLee came, 10:30.'
    spans = ['"hi: there"', "None", "(None)", "Ann\tLee", "10:30", "left; Ann", "He", "said"]
    rng = random.Random(task)
    for _ in range(200):
        mentions = [Mention("a:b", span, text.find(span), text.find(span) + len(span)) for span in rng.sample(spans, 3)]
        truth = Annotation(
            tuple(mentions),
            (Relation("a:b", mentions[0], mentions[1]),),
            (Event("a:b", mentions[2], (mentions[0], mentions[1])),),
        )
        labels = Labels(("a:b", "c"), ("a:b",))
        row = prompts.make_row(text, truth, task, labels, "x", 0, source="x", licence="x", event="a:b")
        constraint = prompts.constraint(row)
        assert permits(constraint, f" {row['output']}") and permits(constraint, row["output"])
        for altered in (f"{row['output']};", "d: He", "a:b: He", f"{row['output']} x", "", '"a:b": Hello'):
            assert not permits(constraint, altered)
