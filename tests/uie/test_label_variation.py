"""Varied rows: labels under other names, more general and finer ones, and absent ones; every answer stays true."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from instructzoo.uie.data import known_names, sentence_templates
from instructzoo.uie.data.label_variation import MORE_GENERAL, NAMES, TOO_VAGUE, vary
from instructzoo.uie.data.natural_spacing import natural_spacing
from instructzoo.uie.schema import Annotation, Labels, Mention, Relation

TYPES = ("person", "researcher", "organisation", "university", "location", "miscellaneous", "event")


def marked(*pairs: tuple[str, str]) -> Annotation:
    return Annotation(tuple(Mention(type, text, 10 * i, 10 * i + len(text)) for i, (type, text) in enumerate(pairs)))


ANNOTATION = marked(
    ("researcher", "Curie"), ("person", "Ann"), ("location", "Paris"), ("organisation", "IBM"), ("miscellaneous", "X")
)
TRUE = {
    "Curie": {"researcher", "person"},
    "Ann": {"person"},
    "Paris": {"city", "location"},
    "IBM": {"company", "organisation"},
    "X": set[str](),
}


def label_of(name: str) -> set[str]:
    """The labels that a name can stand for, whatever its case."""
    return {label for label, names in NAMES.items() if name.casefold() in {label, *map(str.casefold, names)}}


def draws(annotation: Annotation, types: tuple[str, ...] = TYPES, n: int = 400) -> list[tuple[Annotation, Labels]]:
    """Draws, without those that offer all labels of the data set as they are."""
    drawn = [vary(annotation, types, "ner", random.Random(seed)) for seed in range(n)]
    return [(varied, labels) for varied, labels in drawn if labels.types != types or len(types) == 1]


def test_every_label_of_a_varied_answer_is_offered_and_true_of_its_span() -> None:
    for varied, labels in draws(ANNOTATION):
        assert labels.types and len({name.casefold() for name in labels.types}) == len(labels.types)
        for mention in varied.entities:
            assert mention.type in labels.types
            assert label_of(mention.type) & TRUE[mention.text], (mention, labels)


def test_every_span_that_an_offered_label_is_true_of_is_in_the_answer() -> None:
    for varied, labels in draws(ANNOTATION):
        offered = set().union(*map(label_of, labels.types))
        answered = {mention.text for mention in varied.entities}
        for text, true in TRUE.items():
            if text not in answered:  # "scientist" may stand for the label researcher of another data set
                assert not true & offered - {"scientist"}, (text, labels)


def test_a_span_has_the_most_specific_offered_label() -> None:
    seen = Counter()
    for varied, labels in draws(ANNOTATION):
        offered = set().union(*map(label_of, labels.types))
        if {"researcher", "person"} <= offered:
            by_text = {mention.text: mention.type for mention in varied.entities}
            assert "researcher" in label_of(by_text["Curie"]) and "person" in label_of(by_text["Ann"])
            seen["both"] += 1
        elif "person" in offered:
            assert {m.text for m in varied.entities if "person" in label_of(m.type)} == {"Curie", "Ann"}
            seen["person alone"] += 1
    assert seen["both"] > 10 < seen["person alone"]


def test_some_rows_offer_only_labels_that_the_sentence_lacks_and_vague_labels_are_never_offered() -> None:
    drawn = draws(ANNOTATION)
    empty = [labels for varied, labels in drawn if not varied.entities]
    assert 20 < len(empty) < 150
    assert not {name.casefold() for _, labels in drawn for name in labels.types} & TOO_VAGUE


def test_names_vary_by_seed_in_wording_spelling_number_and_case() -> None:
    names = Counter(name for _, labels in draws(ANNOTATION) for name in labels.types)
    assert {"person", "people", "organisation", "organization", "place", "places", "company", "city"} <= set(names)
    assert any(name.isupper() and name.casefold() in NAMES for name in names)
    assert vary(ANNOTATION, TYPES, "ner", random.Random(3)) == vary(ANNOTATION, TYPES, "ner", random.Random(3))


def test_cities_and_companies_are_asked_only_where_every_name_of_the_sentence_is_known() -> None:
    unknown = marked(("location", "Paris"), ("location", "Xyzburg"), ("organisation", "Qwert"), ("organisation", "IBM"))
    offered = {label for _, labels in draws(unknown) for name in labels.types for label in label_of(name)}
    assert not offered & {"city", "country"} and "location" in offered
    # "company" and "business" also name WNUT17's label corporation, which this data set lacks
    assert not offered & {"company", "corporation"} and "organisation" in offered


def test_some_rows_offer_all_labels_of_the_data_set() -> None:
    drawn = [vary(ANNOTATION, TYPES, "ner", random.Random(seed)) for seed in range(400)]
    assert 80 < sum((varied, labels) == (ANNOTATION, Labels(TYPES)) for varied, labels in drawn) < 160


def test_a_single_label_is_always_offered() -> None:
    assert all(labels.types for _, labels in draws(marked(("disease", "flu")), ("disease",), 200))


def test_relations_get_other_names_and_keep_head_and_tail() -> None:
    ann, oslo = Mention("", "Ann", 0, 3), Mention("", "Oslo", 13, 17)
    annotation, types = Annotation(relations=(Relation("lives in", ann, oslo),)), ("lives in", "works for", "kills")
    names = set()
    for seed in range(200):
        varied, labels = vary(annotation, types, "re", random.Random(seed))
        offered = [name for name in labels.types if "lives in" in label_of(name)]
        assert [(r.type, r.head, r.tail) for r in varied.relations] == [(name, ann, oslo) for name in offered]
        names.update(offered)
    assert {"lives in", "resides in", "place of residence"} <= names


def test_no_name_stands_for_two_labels_of_which_neither_is_more_general() -> None:
    for label, names in NAMES.items():
        for name in names:
            others = label_of(name) - {label}
            assert others <= {"scientist", "researcher", "company", "corporation"}, (label, name, others)
    assert all(MORE_GENERAL[label] != label for label in MORE_GENERAL)


def test_a_well_known_name_has_one_kind() -> None:
    places = [*known_names.CITIES, *known_names.COUNTRIES, *known_names.OTHER_PLACES]
    assert [name for name, n in Counter(map(str.casefold, places)).items() if n > 1] == []
    organisations = [*known_names.COMPANIES, *known_names.OTHER_ORGANISATIONS, *known_names.UNIVERSITIES]
    assert [name for name, n in Counter(map(str.casefold, organisations)).items() if n > 1] == []
    assert known_names.kind_of_place("PARIS") == "city" and known_names.kind_of_place("Soviet Union") == "country"
    assert known_names.kind_of_organisation("Acme Corp .") == "company"
    assert known_names.kind_of_organisation("Ministry of Foo") == "other"
    assert known_names.kind_of_organisation("Acme") == known_names.kind_of_place("Acme") == ""


@pytest.mark.parametrize(
    ("tokenised", "written"),
    [
        ("Ann lives in Oslo , Norway .", "Ann lives in Oslo, Norway."),
        ("` ` It is n't Ann 's , ' ' said Bo ( AP ) .", "\"It isn't Ann's,\" said Bo (AP)."),
        ("`` Yes ! '' Bo said", '"Yes!" Bo said'),
        ("It costs $ 5 .", "It costs $5."),
        ("Plain text, as it is.", "Plain text, as it is."),
        ("see :) and http://x.org/a.b , Mr. Bo", "see :) and http://x.org/a.b, Mr. Bo"),
    ],
)
def test_tokenised_text_is_written_naturally_and_spans_move_along(tokenised: str, written: str) -> None:
    words = [word for word in ("Oslo , Norway", "Ann", "Bo", "Mr. Bo", "said", "5", "text") if word in tokenised]
    starts = [tokenised.index(word) for word in words]
    mentions = tuple(Mention("x", w, s, s + len(w)) for w, s in zip(words, starts, strict=True))
    relation = Relation("r", mentions[0], mentions[-1])
    text, annotation = natural_spacing(tokenised, Annotation(mentions, (relation,)))
    assert text == written
    for mention, before in zip(annotation.entities, words, strict=True):
        assert text[mention.start : mention.end] == mention.text == before.replace(" ,", ",")
    assert annotation.relations[0].tail == annotation.entities[-1]


def test_templates_are_filled_by_seed_and_state_their_spans_and_relations() -> None:
    sentences = list(sentence_templates.generate(2_000, 0))
    assert sentences == list(sentence_templates.generate(2_000, 0))
    assert [s.text for s in sentences] != [s.text for s in sentence_templates.generate(2_000, 1)]
    for sentence in sentences:
        assert not set("{}|") & set(sentence.text)
        for mention in sentence.annotation.entities:
            assert sentence.text[mention.start : mention.end] == mention.text
            assert sentence.text.count(mention.text) == 1 and not mention.text.startswith("the ")
        assert {m for r in sentence.annotation.relations for m in (r.head, r.tail)} <= set(sentence.annotation.entities)
        assert "relations" in sentence.layers or not sentence.annotation.relations
    assert any(s.annotation == Annotation() and "relations" in s.layers for s in sentences)
    filled = Counter(m.type for s in sentences for m in s.annotation.entities)
    assert set(filled) == {"person", "date", *sentence_templates.NAMES}
