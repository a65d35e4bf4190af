"""The small tagger of intents and slots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.schema import Slot, Turn
from instructzoo.dialogue.synthesis.tagger import Tagger, TaggerSettings, train_tagger
from instructzoo.dialogue.synthesis.tagger_features import slots_of, tags_of, token_features, token_spans

QUICK = TaggerSettings(updates=120, batch=16, width=32, hidden=24, buckets=1 << 10)
CITIES = ("Oslo", "New York", "Rome", "Lima", "San Jose", "Cairo", "Quito", "Hong Kong")


def weather(city: str) -> Turn:
    text = f"how is it in {city} today"
    return Turn("user", text, "weather", slots=(Slot("city", city, 13, 13 + len(city)),))


def music(artist: str) -> Turn:
    text = f"play {artist} please"
    return Turn("user", text, "music", slots=(Slot("artist", artist, 5, 5 + len(artist)),))


TRAIN = [make(name) for name in CITIES for make in (weather, music)]


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return train_tagger(TRAIN, QUICK, seed=1)


def test_intents_and_values_of_several_words_are_learnt(tagger: Tagger) -> None:
    for turn in (weather("Hong Kong"), music("New York"), weather("Lima")):
        (answer,) = tagger.tag([turn.text])
        assert answer.turn == turn
        assert 0.5 < answer.confidence <= 1


def test_equal_data_and_seed_give_an_equal_tagger(tagger: Tagger) -> None:
    texts = ["how is it in Paris", "play Paris"]
    same, other = train_tagger(TRAIN, QUICK, seed=1), train_tagger(TRAIN, QUICK, seed=2)
    assert same.tag(texts) == tagger.tag(texts)
    assert other.tag(texts) != tagger.tag(texts)


def test_training_leaves_the_global_random_numbers_alone() -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_tagger(TRAIN[:2], TaggerSettings(updates=1, width=8, hidden=8, buckets=64))
    assert torch.equal(torch.rand(3), expected)


def test_an_answer_does_not_depend_on_the_other_texts(tagger: Tagger) -> None:
    long = "how is it in " + "Oslo " * 40
    together = tagger.tag(["play Rome please", long])
    alone = tagger.tag(["play Rome please"])
    assert together[0].turn == alone[0].turn
    assert together[0].confidence == pytest.approx(alone[0].confidence, abs=1e-6)
    assert tagger.tag([]) == []


@pytest.mark.parametrize(
    "utterances",
    [
        [],
        [Turn("user", "play jazz", "music")],
        [Turn("user", "play", None, slots=())],
        [Turn("user", " ", "a", slots=())],
    ],
)
def test_utterances_without_words_intent_or_slots_are_an_error(utterances: list[Turn]) -> None:
    with pytest.raises(ZooError):
        train_tagger(utterances, QUICK)


def test_a_blank_text_is_an_error(tagger: Tagger) -> None:
    with pytest.raises(ZooError, match="a text with words"):
        tagger.tag(["play", "  "])


words = st.lists(st.text("abcÄß1", min_size=1, max_size=5), min_size=1, max_size=8)


@given(words, st.data())
def test_slots_are_read_back_from_their_tags(drawn: list[str], data: st.DataObject) -> None:
    text, slots, start = " ".join(drawn), [], 0
    index = 0
    while index < len(drawn):
        length = data.draw(st.integers(1, len(drawn) - index))
        value = " ".join(drawn[index : index + length])
        if data.draw(st.booleans()):
            slots.append(Slot(data.draw(st.sampled_from("xy")), value, start, start + len(value)))
        start, index = start + len(value) + 1, index + length
    turn = Turn("user", text, slots=tuple(slots))
    spans = token_spans(text)
    assert slots_of(text, spans, tags_of(turn, spans)) == turn.slots


def test_a_value_that_begins_inside_a_token_takes_the_whole_token() -> None:
    turn = Turn("user", "at 7pm-ish", slots=(Slot("time", "pm-i", 4, 8),))
    spans = token_spans(turn.text)
    assert slots_of(turn.text, spans, tags_of(turn, spans)) == (Slot("time", "7pm-ish", 3, 10),)


def test_an_inside_tag_without_a_beginning_begins_a_value() -> None:
    spans = token_spans("a b c")
    assert slots_of("a b c", spans, ["I-x", "I-y", "I-y"]) == (Slot("x", "a", 0, 1), Slot("y", "b c", 2, 5))


def test_similar_words_share_features() -> None:
    one, other = set(token_features("playing", 1 << 20)), set(token_features("Plays", 1 << 20))
    assert len(one & other) >= 4
    assert token_features("playing", 1 << 20)[0] not in other
    assert len(token_features("x" * 1000, 64)) <= 26
