"""Tokenizers of scratch backbones: text in, same text out; a digit is one token that knows its place."""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import Any

import pytest
from kit import LLAMA, T5, recipe, sums
from transformers import AutoTokenizer

from instructzoo.core import models
from instructzoo.core.errors import ZooError
from instructzoo.core.models import scratch, tokenizers

KINDS = ("digits", "bpe")
SEEN = [f"{row['instruction']}\nAnswer: {row['output']}" for row in sums(200)]


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return tokenizers.make(request.param, SEEN, 512)


def a_text(draw: random.Random) -> str:
    """Words, numbers of up to 30 digits, leading zeros, runs of spaces and signs, in any order."""
    pieces = []
    for _ in range(draw.randint(0, 12)):
        kind = draw.randrange(4)
        if kind == 0:
            pieces.append("".join(draw.choices(string.digits, k=draw.randint(1, 30))))
        elif kind == 1:
            pieces.append("".join(draw.choices(string.ascii_letters, k=draw.randint(1, 8))))
        elif kind == 2:
            pieces.append("".join(draw.choices(string.punctuation + " \n", k=draw.randint(1, 4))))
        else:
            pieces.append(draw.choice([" + ", " and", "What is ", "Answer: ", "  ", "please"]))
    return "".join(pieces)


def ids(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


def test_every_text_round_trips(tokenizer: Any) -> None:
    draw = random.Random(0)
    for _ in range(1500):
        text = a_text(draw)
        assert tokenizer.decode(ids(tokenizer, text), skip_special_tokens=True) == text


def test_every_digit_is_a_token_of_its_own(tokenizer: Any) -> None:
    draw = random.Random(1)
    for _ in range(500):
        text = a_text(draw)
        for token in ids(tokenizer, text):
            piece = tokenizer.decode([token])
            assert sum(c.isdigit() for c in piece) <= 1, (text, piece)
            assert not any(c.isdigit() for c in piece) or len(piece) == 1, (text, piece)


def test_digit_tokens_encode_their_place() -> None:
    tokenizer = tokenizers.make("digits", SEEN, 512)
    placed = tokenizers.placed_digits(tokenizer)
    assert len(placed) == 10 * (tokenizers.PLACES + 1)
    draw = random.Random(2)
    for _ in range(300):
        numbers = ["".join(draw.choices(string.digits, k=draw.randint(1, 17))) for _ in range(3)]
        text = draw.choice(["{} + {} = {}", "{}x{}.{}", "-{}, {}/{}"]).format(*numbers)
        found = [placed[token] for token in ids(tokenizer, text) if token in placed]
        wanted = [(int(d), len(number) - 1 - i) for number in numbers for i, d in enumerate(number)]
        assert found == wanted, text


def test_digits_beyond_the_known_places_get_tokens_without_a_place() -> None:
    tokenizer = tokenizers.make("digits", SEEN, 512)
    placed = tokenizers.placed_digits(tokenizer)
    for length in (17, 18, 25, 60):
        text = ("1234567890" * 6)[:length]
        found = [placed[token] for token in ids(tokenizer, text)]
        assert [digit for digit, _ in found] == [int(c) for c in text]
        assert [place for _, place in found[-17:]] == list(range(16, -1, -1))
        assert all(place == 0 for _, place in found[:-17])  # further left: without a mark
        assert tokenizer.decode(ids(tokenizer, text)) == text


def test_a_reloaded_tokenizer_encodes_identically(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(str(tmp_path))
    again = AutoTokenizer.from_pretrained(str(tmp_path))
    assert again.get_vocab() == tokenizer.get_vocab()
    special = ("pad_token_id", "eos_token_id", "unk_token_id", "bos_token_id")
    assert [getattr(again, name) for name in special] == [getattr(tokenizer, name) for name in special]
    assert len({tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id}) == 3
    draw = random.Random(3)
    for _ in range(300):
        text = a_text(draw)
        assert ids(again, text) == ids(tokenizer, text)
        assert again.decode(ids(again, text)) == text
    assert tokenizers.placed_digits(again) == tokenizers.placed_digits(tokenizer)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_texts_give_the_same_tokenizer(kind: str) -> None:
    one, other = tokenizers.make(kind, iter(SEEN), 512), tokenizers.make(kind, SEEN, 512)
    assert one.get_vocab() == other.get_vocab()
    assert tokenizers.make(kind, [t.replace("add", "sum") for t in SEEN], 512).get_vocab() != one.get_vocab()


def test_a_frequent_word_is_one_token() -> None:
    tokenizer = tokenizers.make("digits", SEEN, 512)
    assert [tokenizer.decode([i]) for i in ids(tokenizer, "Answer: ")] == ["Answer", ": "]


def test_the_bare_word_eos_in_a_text_is_not_the_eos_token(tokenizer: Any) -> None:
    """What a user types is text; but the names of special tokens are read as them by every tokenizers file."""
    assert tokenizer.eos_token_id not in ids(tokenizer, "the eos of it, <pad, eos>")


def test_bpe_round_trips_unseen_characters_and_digits_gives_unk() -> None:
    """bpe knows every text; digits knows what it has seen, and Encoder refuses targets with anything else."""
    bpe, digits = (tokenizers.make(kind, SEEN, 512) for kind in ("bpe", "digits"))
    for text in ("né 漢字 \U0001f600 \t²", "½½"):
        assert bpe.decode(ids(bpe, text)) == text
        assert digits.unk_token_id in ids(digits, text)


def test_an_unknown_tokenizer_or_scratch_shape_is_a_clear_error() -> None:
    with pytest.raises(ZooError, match=r'no tokenizer "digit".*did you mean "digits"'):
        tokenizers.make("digit", SEEN, 512)
    for name in ("scratch:llama", "scratch:llama-1x30", "scratch:llama-0x32", "scratch:gpt-1x32", "scratch:t5-1x32x2"):
        with pytest.raises(ZooError, match="no scratch backbone"):
            scratch.kind_of(name)


@pytest.mark.parametrize("backbone", [LLAMA, T5])
def test_the_same_seed_gives_the_same_backbone(backbone: str) -> None:
    settings = recipe(backbone).model
    states = [models.load(settings, seed, lambda: SEEN).model.state_dict() for seed in (0, 0, 1)]
    assert all((states[0][name] == states[1][name]).all() for name in states[0])
    assert any((states[0][name] != states[2][name]).any() for name in states[0])


@pytest.mark.parametrize("backbone", [LLAMA, T5])
def test_a_placed_digit_embedding_starts_as_digit_plus_place(backbone: str) -> None:
    loaded = models.load(recipe(backbone).model, 0, lambda: SEEN)
    table = loaded.model.get_input_embeddings().weight.detach()
    at = {spot: token for token, spot in tokenizers.placed_digits(loaded.tokenizer).items()}
    one, two = table[at[7, 3]] - table[at[7, 0]], table[at[2, 3]] - table[at[2, 0]]
    assert float((one - two).abs().max()) < 1e-5
    assert float(one.abs().max()) > 1e-3
    out = loaded.model.get_output_embeddings().weight
    assert out.data_ptr() == loaded.model.get_input_embeddings().weight.data_ptr()  # tied


def test_a_resumed_run_uses_its_saved_tokenizer(tmp_path: Path) -> None:
    settings = recipe().model
    first = models.load(settings, 0, lambda: SEEN).tokenizer
    first.save_pretrained(str(tmp_path))
    again = models.load(settings, 0, lambda: ["other texts"], tokenizer_at=tmp_path).tokenizer
    assert again.get_vocab() == first.get_vocab()
