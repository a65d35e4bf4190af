"""Tokenizers of models from scratch: every text round-trips, and a digit is one token that encodes its place."""

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
TEXTS = [f"{row['instruction']}\nAnswer: {row['output']}" for row in sums(200)]


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return tokenizers.train_tokenizer(request.param, TEXTS, 512)


def random_text(rng: random.Random) -> str:
    """Return words, numbers of up to 30 digits, leading zeros, runs of spaces and signs, in random order."""
    pieces = []
    for _ in range(rng.randint(0, 12)):
        kind = rng.randrange(4)
        if kind == 0:
            pieces.append("".join(rng.choices(string.digits, k=rng.randint(1, 30))))
        elif kind == 1:
            pieces.append("".join(rng.choices(string.ascii_letters, k=rng.randint(1, 8))))
        elif kind == 2:
            pieces.append("".join(rng.choices(string.punctuation + " \n", k=rng.randint(1, 4))))
        else:
            pieces.append(rng.choice([" + ", " and", "What is ", "Answer: ", "  ", "please"]))
    return "".join(pieces)


def encode(tokenizer: Any, text: str) -> list[int]:
    token_ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return token_ids


def test_every_text_round_trips(tokenizer: Any) -> None:
    rng = random.Random(0)
    for _ in range(1500):
        text = random_text(rng)
        assert tokenizer.decode(encode(tokenizer, text), skip_special_tokens=True) == text


def test_every_digit_is_a_token_of_its_own(tokenizer: Any) -> None:
    rng = random.Random(1)
    for _ in range(500):
        text = random_text(rng)
        for token in encode(tokenizer, text):
            piece = tokenizer.decode([token])
            assert sum(c.isdigit() for c in piece) <= 1, (text, piece)
            assert not any(c.isdigit() for c in piece) or len(piece) == 1, (text, piece)


def test_digit_tokens_encode_their_place() -> None:
    tokenizer = tokenizers.train_tokenizer("digits", TEXTS, 512)
    digits_by_token = tokenizers.placed_digits(tokenizer)
    assert len(digits_by_token) == 10 * (tokenizers.PLACES + 1)
    rng = random.Random(2)
    for _ in range(300):
        numbers = ["".join(rng.choices(string.digits, k=rng.randint(1, 17))) for _ in range(3)]
        text = rng.choice(["{} + {} = {}", "{}x{}.{}", "-{}, {}/{}"]).format(*numbers)
        actual = [digits_by_token[token] for token in encode(tokenizer, text) if token in digits_by_token]
        expected = [(int(d), len(number) - 1 - i) for number in numbers for i, d in enumerate(number)]
        assert actual == expected, text


def test_digits_beyond_the_known_places_get_tokens_without_a_place() -> None:
    tokenizer = tokenizers.train_tokenizer("digits", TEXTS, 512)
    digits_by_token = tokenizers.placed_digits(tokenizer)
    for length in (17, 18, 25, 60):
        text = ("1234567890" * 6)[:length]
        digits = [digits_by_token[token] for token in encode(tokenizer, text)]
        assert [digit for digit, _ in digits] == [int(c) for c in text]
        assert [place for _, place in digits[-17:]] == list(range(16, -1, -1))
        assert all(place == 0 for _, place in digits[:-17])  # further left, without a mark
        assert tokenizer.decode(encode(tokenizer, text)) == text


def test_a_reloaded_tokenizer_encodes_identically(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(str(tmp_path))
    reloaded = AutoTokenizer.from_pretrained(str(tmp_path))
    assert reloaded.get_vocab() == tokenizer.get_vocab()
    special = ("pad_token_id", "eos_token_id", "unk_token_id", "bos_token_id")
    assert [getattr(reloaded, name) for name in special] == [getattr(tokenizer, name) for name in special]
    assert len({tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id}) == 3
    rng = random.Random(3)
    for _ in range(300):
        text = random_text(rng)
        assert encode(reloaded, text) == encode(tokenizer, text)
        assert reloaded.decode(encode(reloaded, text)) == text
    assert tokenizers.placed_digits(reloaded) == tokenizers.placed_digits(tokenizer)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_texts_give_the_same_tokenizer(kind: str) -> None:
    first, second = tokenizers.train_tokenizer(kind, iter(TEXTS), 512), tokenizers.train_tokenizer(kind, TEXTS, 512)
    assert first.get_vocab() == second.get_vocab()
    assert (
        tokenizers.train_tokenizer(kind, [t.replace("add", "sum") for t in TEXTS], 512).get_vocab() != first.get_vocab()
    )


def test_a_frequent_word_is_one_token() -> None:
    tokenizer = tokenizers.train_tokenizer("digits", TEXTS, 512)
    assert [tokenizer.decode([i]) for i in encode(tokenizer, "Answer: ")] == ["Answer", ": "]


def test_the_bare_word_eos_in_a_text_is_not_the_eos_token(tokenizer: Any) -> None:
    """Only the full name of a special token is read as that token."""
    assert tokenizer.eos_token_id not in encode(tokenizer, "the eos of it, <pad, eos>")


def test_bpe_round_trips_unseen_characters_and_digits_gives_unk() -> None:
    """bpe encodes any text; digits knows the characters of its training, and Encoder refuses targets with others."""
    bpe, digits = (tokenizers.train_tokenizer(kind, TEXTS, 512) for kind in ("bpe", "digits"))
    for text in ("né 漢字 \U0001f600 \t²", "½½"):
        assert bpe.decode(encode(bpe, text)) == text
        assert digits.unk_token_id in encode(digits, text)


def test_an_unknown_tokenizer_or_scratch_shape_is_a_clear_error() -> None:
    with pytest.raises(ZooError, match=r'no tokenizer "digit".*did you mean "digits"'):
        tokenizers.train_tokenizer("digit", TEXTS, 512)
    for name in ("scratch:llama", "scratch:llama-1x30", "scratch:llama-0x32", "scratch:gpt-1x32", "scratch:t5-1x32x2"):
        with pytest.raises(ZooError, match="no scratch backbone"):
            scratch.kind_of(name)


@pytest.mark.parametrize("backbone", [LLAMA, T5])
def test_the_same_seed_gives_the_same_backbone(backbone: str) -> None:
    settings = recipe(backbone).model
    states = [models.load(settings, seed, lambda: TEXTS).model.state_dict() for seed in (0, 0, 1)]
    assert all((states[0][name] == states[1][name]).all() for name in states[0])
    assert any((states[0][name] != states[2][name]).any() for name in states[0])


@pytest.mark.parametrize("backbone", [LLAMA, T5])
def test_a_placed_digit_embedding_starts_as_digit_plus_place(backbone: str) -> None:
    bundle = models.load(recipe(backbone).model, 0, lambda: TEXTS)
    embeddings = bundle.model.get_input_embeddings().weight.detach()
    tokens = {digit_and_place: token for token, digit_and_place in tokenizers.placed_digits(bundle.tokenizer).items()}
    thousands_of_7 = embeddings[tokens[7, 3]] - embeddings[tokens[7, 0]]
    thousands_of_2 = embeddings[tokens[2, 3]] - embeddings[tokens[2, 0]]
    assert float((thousands_of_7 - thousands_of_2).abs().max()) < 1e-5
    assert float(thousands_of_7.abs().max()) > 1e-3
    output_weight = bundle.model.get_output_embeddings().weight
    assert output_weight.data_ptr() == bundle.model.get_input_embeddings().weight.data_ptr()  # tied


def test_a_resumed_run_uses_its_saved_tokenizer(tmp_path: Path) -> None:
    settings = recipe().model
    first = models.load(settings, 0, lambda: TEXTS).tokenizer
    first.save_pretrained(str(tmp_path))
    again = models.load(settings, 0, lambda: ["other texts"], tokenizer_folder=tmp_path).tokenizer
    assert again.get_vocab() == first.get_vocab()
