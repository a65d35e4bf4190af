"""Rows -> ids and labels: what is supervised is exactly the target, and what is served is what was trained."""

from __future__ import annotations

from typing import Any

import pytest
from kit import LLAMA, T5, Prompts, kit, recipe, sums, supervised

from instructzoo.core.errors import ZooError
from instructzoo.core.models.load import with_padding
from instructzoo.core.record import Row, Segment
from instructzoo.core.text import IGNORE_INDEX, Encoded, Encoder, lengths
from instructzoo.core.tune import Causal, Seq2Seq

ROWS = sums(60)
BOTH = pytest.mark.parametrize("backbone", [LLAMA, T5])
EVERY = pytest.mark.parametrize(("backbone", "tokenizer"), [(b, t) for b in (LLAMA, T5) for t in ("digits", "bpe")])


def encoder(backbone: str = LLAMA, tokenizer: str = "digits", prompts: Any = Prompts, max_tokens: int = 128) -> Encoder:
    made = kit(recipe(backbone, tokenizer), ROWS).encoder
    return Encoder(made.tokenizer, prompts, made.kind, max_tokens)


class Dialogue:
    """Two turns, both answered by the model."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        asked, told = row["instruction"], row["output"]
        return [Segment(asked, False), Segment(told, True), Segment(f"\n{asked}", False), Segment(told, True)]


class Silent:
    """A prompt whose last word is not the model's."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        return [Segment(row["instruction"], False), Segment(row["output"], True), Segment("\nThanks.", False)]


@EVERY
def test_exactly_the_target_and_eos_are_supervised(backbone: str, tokenizer: str) -> None:
    made = encoder(backbone, tokenizer)
    for row, encoded in zip(ROWS, made.encode_all(ROWS), strict=True):
        target = made.tokenizer(row["output"], add_special_tokens=False)["input_ids"]
        assert supervised(encoded) == [*target, made.tokenizer.eos_token_id]
        assert encoded.supervised == len(target) + 1
        assert made.tokenizer.decode(supervised(encoded), skip_special_tokens=True) == row["output"]
        if made.kind == "causal":
            assert len(encoded.ids) == len(encoded.labels)
            assert encoded.ids[-len(target) - 1 :] == supervised(encoded)
        else:
            assert IGNORE_INDEX not in encoded.labels


@EVERY
def test_the_served_prompt_equals_the_trained_prompt(backbone: str, tokenizer: str) -> None:
    made = encoder(backbone, tokenizer)
    for row in ROWS:
        encoded, served = made.encode(row), made.prompt({**row, "output": ""})
        assert served == made.prompt(row)
        if made.kind == "causal":
            assert encoded.ids == served + supervised(encoded)
            assert encoded.labels[: len(served)] == [IGNORE_INDEX] * len(served)
        else:
            assert encoded.ids == served
            assert served[-1] == made.tokenizer.eos_token_id


@EVERY
def test_rows_encoded_together_equal_rows_encoded_alone(backbone: str, tokenizer: str) -> None:
    made = encoder(backbone, tokenizer)
    assert made.encode_all(iter(ROWS)) == [made.encode(row) for row in ROWS]
    assert made.encode_all([]) == []


@EVERY
def test_arithmetic_supervises_exactly_its_answers(backbone: str, tokenizer: str) -> None:
    from instructzoo.arithmetic import prompts, world

    rows = list(world.generate(40, 0, "train"))
    made = encoder(backbone, tokenizer, prompts, 2048)
    end = made.tokenizer.eos_token_id
    for row, encoded in zip(rows, made.encode_all(rows), strict=True):
        read, learnt = made.pieces(f"{row['instruction']}\nAnswer: "), [*made.pieces(row["output"]), end]
        if made.kind == "causal":
            assert encoded == Encoded([*read, *learnt], [IGNORE_INDEX] * len(read) + learnt)
        else:
            assert encoded == Encoded([*read, end], learnt)


def test_every_answer_of_a_dialogue_is_supervised() -> None:
    made = encoder(prompts=Dialogue)
    for row in ROWS[:10]:
        told = made.pieces(row["output"])
        encoded = made.encode(row)
        assert supervised(encoded) == [*told, *told, made.tokenizer.eos_token_id]
        assert made.prompt(row) == made.pieces(row["instruction"])


def test_a_target_in_two_places_is_an_error_for_seq2seq() -> None:
    with pytest.raises(ZooError, match="is read on after its target begins"):
        encoder(T5, prompts=Dialogue).encode(ROWS[0])


def test_eos_is_not_supervised_after_trailing_text_of_the_prompt() -> None:
    made = encoder(prompts=Silent)
    encoded = made.encode(ROWS[0])
    assert encoded.labels[-1] == IGNORE_INDEX
    assert supervised(encoded) == made.pieces(ROWS[0]["output"])


@BOTH
def test_a_row_without_supervised_text_is_an_error(backbone: str) -> None:
    made = encoder(backbone)
    with pytest.raises(ZooError, match=f"row {ROWS[0]['id']} has no supervised text"):
        made.encode_all([ROWS[1], {**ROWS[0], "output": ""}])

    class Unsupervised:
        @staticmethod
        def render(row: Row, seed: int) -> list[Segment]:
            return [Segment(row["instruction"], False), Segment(row["output"], False)]

    with pytest.raises(ZooError, match="no supervised text"):
        encoder(backbone, prompts=Unsupervised).encode(ROWS[0])


@BOTH
def test_a_cut_target_is_an_error(backbone: str) -> None:
    row = {**ROWS[0], "output": "12345678901234567890"}
    needed = max(map(len, encoder(backbone).encode(row)))
    assert encoder(backbone, max_tokens=needed).encode(row)
    with pytest.raises(ZooError, match=rf"takes {needed} tokens, .* at most model\.max_tokens = {needed - 1}"):
        encoder(backbone, max_tokens=needed - 1).encode(row)


@BOTH
def test_a_question_beyond_max_tokens_is_an_error(backbone: str) -> None:
    made = encoder(backbone, max_tokens=16)
    with pytest.raises(ZooError, match=r"the question takes \d+ tokens; expected at most 16"):
        made.prompt({**ROWS[0], "instruction": "1234567890" * 5})


def test_a_tokenizer_without_eos_is_an_error() -> None:
    tokenizer = encoder().tokenizer
    tokenizer.eos_token = None
    with pytest.raises(ZooError, match="no end-of-sequence token"):
        Encoder(tokenizer, Prompts, "causal", 64)


def test_a_target_character_outside_the_vocabulary_is_an_error() -> None:
    row = {**ROWS[0], "output": "5 漢"}
    with pytest.raises(ZooError, match=f"the target of row {row['id']} holds a character"):
        encoder(tokenizer="digits").encode(row)
    assert encoder(tokenizer="bpe").encode(row)


def test_eos_is_supervised_even_if_it_is_the_padding_token() -> None:
    """The labels come from the segments, not from a search for the padding's id."""
    made = encoder()
    tokenizer = made.tokenizer
    tokenizer.pad_token = None
    assert with_padding(tokenizer).pad_token_id == tokenizer.eos_token_id
    made = Encoder(tokenizer, Prompts, "causal", 128)
    encoded = sorted(made.encode_all(ROWS[:8]), key=lambda e: len(e.ids))
    assert len(encoded[0].ids) < len(encoded[-1].ids)
    for objective in (Causal(tokenizer.pad_token_id), Seq2Seq(tokenizer.pad_token_id)):
        labels = objective.collate(encoded)["labels"]
        assert ((labels == tokenizer.eos_token_id).sum(1) == 1).all()
        assert [supervised(Encoded([], row)) for row in labels.tolist()] == [supervised(e) for e in encoded]


def test_the_bos_token_of_a_tokenizer_is_prepended_and_not_supervised() -> None:
    made = encoder(tokenizer="bpe")
    tokenizer = made.tokenizer
    before = made.encode(ROWS[0])
    from tokenizers import processors

    tokenizer.add_special_tokens({"bos_token": "<bos>"})
    bos = tokenizer.bos_token_id
    again = Encoder(tokenizer, Prompts, "causal", 128)
    assert again.encode(ROWS[0]) == before  # a token that the tokenizer itself does not put there
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", bos)]
    )
    opened = Encoder(tokenizer, Prompts, "causal", 128)
    assert opened.encode(ROWS[0]) == Encoded([bos, *before.ids], [IGNORE_INDEX, *before.labels])
    assert opened.prompt(ROWS[0])[0] == bos
    assert opened.prompt(ROWS[0]).count(bos) == 1


@BOTH
def test_length_statistics_are_those_of_the_encoded_rows(backbone: str) -> None:
    encoded = encoder(backbone).encode_all(ROWS)
    cost = lengths(encoded)
    assert cost.total == [max(len(e.ids), len(e.labels)) for e in encoded]
    assert cost.supervised_share == pytest.approx(sum(e.supervised for e in encoded) / sum(cost.total))
    shown = cost.histograms()
    assert shown["rows"] == len(ROWS) == sum(shown["total"]["counts"]) == sum(shown["supervised"]["counts"])
