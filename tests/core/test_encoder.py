"""Rows to input_ids and labels: exactly the target is supervised, and the served prompt is that of training."""

from __future__ import annotations

from dataclasses import replace
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


def make_encoder(
    backbone: str = LLAMA, tokenizer: str = "digits", prompts: Any = Prompts, max_tokens: int = 128
) -> Encoder:
    full = kit(recipe(backbone, tokenizer), ROWS).encoder
    return Encoder(full.tokenizer, prompts, full.kind, max_tokens)


class Dialogue:
    """Two questions, each answered by the model."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        question, answer = row["instruction"], row["output"]
        return [Segment(question, False), Segment(answer, True), Segment(f"\n{question}", False), Segment(answer, True)]


class Silent:
    """A prompt with text after the answer."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        return [Segment(row["instruction"], False), Segment(row["output"], True), Segment("\nThanks.", False)]


def test_another_token_can_end_answers_if_the_tokenizer_has_it() -> None:
    full = replace(make_encoder(), stop_token="7")
    assert supervised(full.encode(ROWS[0]))[-1] == full.stop == full.tokenizer.convert_tokens_to_ids("7")
    pairs = replace(make_encoder(T5), stop_token="7")
    encoded = pairs.encode(ROWS[0])
    assert encoded.input_ids == pairs.prompt(ROWS[0]) and encoded.labels[-1] == pairs.stop
    with pytest.raises(ZooError, match=r'model\.stop_token: no token "<stop>" in the tokenizer'):
        replace(full, stop_token="<stop>")
    with pytest.raises(ZooError, match=r'model\.stop_token: "7" with a chat template, which has its own'):
        replace(full, template="chat")


@EVERY
def test_exactly_the_target_and_eos_are_supervised(backbone: str, tokenizer: str) -> None:
    encoder = make_encoder(backbone, tokenizer)
    for row, encoded in zip(ROWS, encoder.encode_all(ROWS), strict=True):
        target = encoder.tokenizer(row["output"], add_special_tokens=False)["input_ids"]
        assert supervised(encoded) == [*target, encoder.tokenizer.eos_token_id]
        assert encoded.num_supervised == len(target) + 1
        assert encoder.tokenizer.decode(supervised(encoded), skip_special_tokens=True) == row["output"]
        if encoder.kind == "causal":
            assert len(encoded.input_ids) == len(encoded.labels)
            assert encoded.input_ids[-len(target) - 1 :] == supervised(encoded)
        else:
            assert IGNORE_INDEX not in encoded.labels


@EVERY
def test_the_served_prompt_equals_the_trained_prompt(backbone: str, tokenizer: str) -> None:
    encoder = make_encoder(backbone, tokenizer)
    for row in ROWS:
        encoded, prompt_ids = encoder.encode(row), encoder.prompt({**row, "output": ""})
        assert prompt_ids == encoder.prompt(row)
        if encoder.kind == "causal":
            assert encoded.input_ids == prompt_ids + supervised(encoded)
            assert encoded.labels[: len(prompt_ids)] == [IGNORE_INDEX] * len(prompt_ids)
        else:
            assert encoded.input_ids == prompt_ids
            assert prompt_ids[-1] == encoder.tokenizer.eos_token_id


@EVERY
def test_rows_encoded_together_equal_rows_encoded_alone(backbone: str, tokenizer: str) -> None:
    encoder = make_encoder(backbone, tokenizer)
    assert encoder.encode_all(iter(ROWS)) == [encoder.encode(row) for row in ROWS]
    assert encoder.encode_all([]) == []


@EVERY
def test_arithmetic_supervises_exactly_its_answers(backbone: str, tokenizer: str) -> None:
    from instructzoo.arithmetic import prompts, world

    rows = list(world.generate(40, 0, "train"))
    encoder = make_encoder(backbone, tokenizer, prompts, 2048)
    eos = encoder.tokenizer.eos_token_id
    for row, encoded in zip(rows, encoder.encode_all(rows), strict=True):
        prompt_ids = encoder.tokenize(f"{row['instruction']}\nAnswer: ")
        target_ids = [*encoder.tokenize(row["output"]), eos]
        if encoder.kind == "causal":
            assert encoded == Encoded([*prompt_ids, *target_ids], [IGNORE_INDEX] * len(prompt_ids) + target_ids)
        else:
            assert encoded == Encoded([*prompt_ids, eos], target_ids)


def test_every_answer_of_a_dialogue_is_supervised() -> None:
    encoder = make_encoder(prompts=Dialogue)
    for row in ROWS[:10]:
        answer = encoder.tokenize(row["output"])
        encoded = encoder.encode(row)
        assert supervised(encoded) == [*answer, *answer, encoder.tokenizer.eos_token_id]
        assert encoder.prompt(row) == encoder.tokenize(row["instruction"])


def test_a_target_in_two_places_is_an_error_for_seq2seq() -> None:
    with pytest.raises(ZooError, match="is read on after its target begins"):
        make_encoder(T5, prompts=Dialogue).encode(ROWS[0])


def test_eos_is_not_supervised_after_trailing_text_of_the_prompt() -> None:
    encoder = make_encoder(prompts=Silent)
    encoded = encoder.encode(ROWS[0])
    assert encoded.labels[-1] == IGNORE_INDEX
    assert supervised(encoded) == encoder.tokenize(ROWS[0]["output"])


@BOTH
def test_a_row_without_supervised_text_is_an_error(backbone: str) -> None:
    encoder = make_encoder(backbone)
    with pytest.raises(ZooError, match=f"row {ROWS[0]['id']} has no supervised text"):
        encoder.encode_all([ROWS[1], {**ROWS[0], "output": ""}])

    class Unsupervised:
        @staticmethod
        def render(row: Row, seed: int) -> list[Segment]:
            return [Segment(row["instruction"], False), Segment(row["output"], False)]

    with pytest.raises(ZooError, match="no supervised text"):
        make_encoder(backbone, prompts=Unsupervised).encode(ROWS[0])


@BOTH
def test_a_cut_target_is_an_error(backbone: str) -> None:
    row = {**ROWS[0], "output": "12345678901234567890"}
    needed = max(map(len, make_encoder(backbone).encode(row)))
    assert make_encoder(backbone, max_tokens=needed).encode(row)
    with pytest.raises(ZooError, match=rf"takes {needed} tokens, .* at most model\.max_tokens = {needed - 1}"):
        make_encoder(backbone, max_tokens=needed - 1).encode(row)


@BOTH
def test_a_question_beyond_max_tokens_is_an_error(backbone: str) -> None:
    encoder = make_encoder(backbone, max_tokens=16)
    with pytest.raises(ZooError, match=r"the question takes \d+ tokens; expected at most 16"):
        encoder.prompt({**ROWS[0], "instruction": "1234567890" * 5})


def test_a_tokenizer_without_eos_is_an_error() -> None:
    tokenizer = make_encoder().tokenizer
    tokenizer.eos_token = None
    with pytest.raises(ZooError, match="no end-of-sequence token"):
        Encoder(tokenizer, Prompts, "causal", 64)


def test_a_target_character_outside_the_vocabulary_is_an_error() -> None:
    row = {**ROWS[0], "output": "5 漢"}
    with pytest.raises(ZooError, match=f"the target of row {row['id']} holds a character"):
        make_encoder(tokenizer="digits").encode(row)
    assert make_encoder(tokenizer="bpe").encode(row)


def test_eos_is_supervised_even_if_it_is_the_padding_token() -> None:
    """Labels come from the segments, not from a comparison with the padding id."""
    encoder = make_encoder()
    tokenizer = encoder.tokenizer
    tokenizer.pad_token = None
    assert with_padding(tokenizer).pad_token_id == tokenizer.eos_token_id
    encoder = Encoder(tokenizer, Prompts, "causal", 128)
    encoded = sorted(encoder.encode_all(ROWS[:8]), key=lambda e: len(e.input_ids))
    assert len(encoded[0].input_ids) < len(encoded[-1].input_ids)
    for objective in (Causal(tokenizer.pad_token_id), Seq2Seq(tokenizer.pad_token_id)):
        labels = objective.collate(encoded)["labels"]
        assert ((labels == tokenizer.eos_token_id).sum(1) == 1).all()
        assert [supervised(Encoded([], row)) for row in labels.tolist()] == [supervised(e) for e in encoded]


def test_the_bos_token_of_a_tokenizer_is_prepended_and_not_supervised() -> None:
    encoder = make_encoder(tokenizer="bpe")
    tokenizer = encoder.tokenizer
    encoded = encoder.encode(ROWS[0])
    from tokenizers import processors

    tokenizer.add_special_tokens({"bos_token": "<bos>"})
    bos = tokenizer.bos_token_id
    without_bos = Encoder(tokenizer, Prompts, "causal", 128)
    assert without_bos.encode(ROWS[0]) == encoded  # the tokenizer has a BOS token and does not add it
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", bos)]
    )
    with_bos = Encoder(tokenizer, Prompts, "causal", 128)
    assert with_bos.encode(ROWS[0]) == Encoded([bos, *encoded.input_ids], [IGNORE_INDEX, *encoded.labels])
    assert with_bos.prompt(ROWS[0])[0] == bos
    assert with_bos.prompt(ROWS[0]).count(bos) == 1


@BOTH
def test_length_statistics_are_those_of_the_encoded_rows(backbone: str) -> None:
    encoded = make_encoder(backbone).encode_all(ROWS)
    statistics = lengths(encoded)
    assert statistics.total == [max(len(e.input_ids), len(e.labels)) for e in encoded]
    assert statistics.supervised_share == pytest.approx(sum(e.num_supervised for e in encoded) / sum(statistics.total))
    histograms = statistics.histograms()
    assert (
        histograms["rows"] == len(ROWS) == sum(histograms["total"]["counts"]) == sum(histograms["supervised"]["counts"])
    )


def test_an_encoder_decoder_reads_the_beginning_token_that_its_tokenizer_adds_as_bart_does() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = {word: number for number, word in enumerate(("<s>", "<pad>", "</s>", "<unk>", "2", "+", "3", "=", "5"))}
    backend = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    special = [("<s>", 0), ("</s>", 2)]
    backend.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=special)  # type: ignore[assignment]
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    bart = PreTrainedTokenizerFast(tokenizer_object=backend, **names)
    row = {**ROWS[0], "instruction": "2 + 3 =", "output": "5"}
    encoder = Encoder(bart, Silent, "seq2seq", 16)
    assert encoder.prompt(row) == bart("2 + 3 =")["input_ids"] == [0, 4, 5, 6, 7, 2]
    plain = Encoder(bart, Prompts, "seq2seq", 64)
    assert plain.encode(row).input_ids == plain.prompt(row)
    assert plain.encode(row).labels[-1] == 2
    same = PreTrainedTokenizerFast(tokenizer_object=backend, **(names | {"bos_token": "</s>"}))
    assert Encoder(same, Silent, "seq2seq", 16).prompt(row) == [4, 5, 6, 7, 2]
