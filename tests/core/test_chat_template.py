"""Chat templates: each answer and the token that ends it are supervised; the served prompt is that of training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, T5, Prompts, kit, recipe, sums, supervised, wild

from instructzoo.core import domain as domains
from instructzoo.core.commands.training_task import build_task
from instructzoo.core.errors import ZooError
from instructzoo.core.infer import Predictor, generate
from instructzoo.core.models import ModelBundle, downloads, tokenizers
from instructzoo.core.models.backbones import BACKBONES
from instructzoo.core.models.load import open_tokenizer
from instructzoo.core.recipe import Decode
from instructzoo.core.record import Row, Segment
from instructzoo.core.text import IGNORE_INDEX, Encoded, Encoder
from instructzoo.core.tune import Causal

ROWS = sums(12)

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
SPECIAL_TOKENS = {
    "chatml": ["<|im_start|>", "<|im_end|>"],
    "llama3": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>"],
}
STOP_TOKENS = {"chatml": "<|im_end|>", "llama3": "<|eot_id|>"}
BOTH = pytest.mark.parametrize("kind", list(SPECIAL_TOKENS))


def make_tokenizer(kind: str) -> Any:
    """Train a byte-level BPE with a template. ChatML's stop token is also EOS and padding, Llama 3's is neither."""
    tokenizer = tokenizers.train_tokenizer(
        "bpe", [f"{r['instruction']}{r['output']} user assistant" for r in sums(40)], 400
    )
    tokenizer.add_special_tokens({"extra_special_tokens": SPECIAL_TOKENS[kind]})
    if kind == "chatml":
        tokenizer.add_special_tokens({"eos_token": "<|im_end|>", "pad_token": "<|im_end|>"})
        tokenizer.chat_template = CHATML
    else:
        from tokenizers import processors

        tokenizer.add_special_tokens({"bos_token": "<|begin_of_text|>"})
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", tokenizer.bos_token_id)]
        )
        tokenizer.chat_template = LLAMA3
    return tokenizer


def make_encoder(tokenizer: Any, prompts: Any = Prompts, max_tokens: int = 512) -> Encoder:
    return Encoder(tokenizer, prompts, "causal", max_tokens, template="chat")


def token_ids(tokenizer: Any, text: str) -> list[int]:
    token_ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return token_ids


class Dialogue:
    """Two questions of two segments each, both answered by the model."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        question = [Segment(row["instruction"], False), Segment("\nAnswer:", False)]
        return [
            *question,
            Segment(row["output"], True),
            *question,
            Segment("It is ", True),
            Segment(row["output"], True),
        ]


class WithTrailingUserTurn:
    """A conversation that ends with a user turn."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        return [*Prompts.render(row, seed), Segment("Thanks.", False)]


class BeginsWithAnswer:
    """A conversation that begins with the answer."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        return [Segment(row["output"], True), Segment(row["instruction"], False)]


@BOTH
def test_only_the_answer_and_its_stop_token_are_supervised(kind: str) -> None:
    tokenizer = make_tokenizer(kind)
    stop = tokenizer.convert_tokens_to_ids(STOP_TOKENS[kind])
    for row in ROWS:
        encoded = make_encoder(tokenizer).encode(row)
        assert supervised(encoded) == [*token_ids(tokenizer, row["output"]), stop]
        question = [{"role": "user", "content": f"{row['instruction']}\nAnswer: "}]
        conversation_ids = tokenizer.apply_chat_template(
            [*question, {"role": "assistant", "content": row["output"]}], return_dict=False
        )
        assert encoded.input_ids == conversation_ids[: len(encoded.input_ids)]
        assert encoded.input_ids[-1] == stop


@BOTH
def test_the_served_prompt_equals_the_trained_prompt(kind: str) -> None:
    tokenizer = make_tokenizer(kind)
    for prompts in (Prompts, Dialogue):
        for row in ROWS:
            encoded = make_encoder(tokenizer, prompts).encode(row)
            prompt_ids = make_encoder(tokenizer, prompts).prompt({**row, "output": ""})
            start = next(i for i, label in enumerate(encoded.labels) if label != IGNORE_INDEX)
            assert prompt_ids == encoded.input_ids[:start]
            question = "".join(s.text for s in prompts.render(row, 0)[: 1 if prompts is Prompts else 2])
            assert prompt_ids == tokenizer.apply_chat_template(
                [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=False
            )


@BOTH
def test_every_answer_of_a_conversation_is_supervised(kind: str) -> None:
    tokenizer = make_tokenizer(kind)
    stop = tokenizer.convert_tokens_to_ids(STOP_TOKENS[kind])
    for row in ROWS:
        encoded = make_encoder(tokenizer, Dialogue).encode(row)
        answer = row["output"]
        assert supervised(encoded) == [
            *token_ids(tokenizer, answer),
            stop,
            *token_ids(tokenizer, f"It is {answer}"),
            stop,
        ]
        question = {"role": "user", "content": f"{row['instruction']}\nAnswer:"}
        turns = [question, {"role": "assistant", "content": answer}]
        turns += [question, {"role": "assistant", "content": f"It is {answer}"}]
        conversation_ids = tokenizer.apply_chat_template(turns, return_dict=False)
        assert encoded.input_ids == conversation_ids[: len(encoded.input_ids)]
        assert conversation_ids[len(encoded.input_ids) :] == (token_ids(tokenizer, "\n") if kind == "chatml" else [])


def test_the_bos_token_occurs_exactly_once() -> None:
    tokenizer = make_tokenizer("llama3")
    assert tokenizer("x")["input_ids"][0] == tokenizer.bos_token_id
    for prompts in (Prompts, Dialogue):
        encoded = make_encoder(tokenizer, prompts).encode(ROWS[0])
        assert encoded.input_ids.count(tokenizer.bos_token_id) == 1 and encoded.input_ids[0] == tokenizer.bos_token_id
        assert make_encoder(tokenizer, prompts).prompt(ROWS[0]).count(tokenizer.bos_token_id) == 1


@BOTH
def test_the_stop_token_is_supervised_even_if_it_is_the_padding_token(kind: str) -> None:
    """Where the stop token pads too (trl#1623), the labels still come from the template."""
    tokenizer = make_tokenizer(kind)
    stop = tokenizer.convert_tokens_to_ids(STOP_TOKENS[kind])
    assert (tokenizer.pad_token_id == stop) == (kind == "chatml")
    encoded = make_encoder(tokenizer).encode_all(ROWS)
    assert len({len(e.input_ids) for e in encoded}) > 1
    labels = Causal(tokenizer.pad_token_id).collate(encoded)["labels"]
    assert ((labels == stop).sum(1) == 1).all()
    assert [supervised(Encoded([], row)) for row in labels.tolist()] == [supervised(e) for e in encoded]


def test_generation_stops_at_a_template_stop_token_other_than_eos() -> None:
    tokenizer = make_tokenizer("llama3")
    encoder = make_encoder(tokenizer)
    assert encoder.stop == tokenizer.convert_tokens_to_ids("<|eot_id|>") != tokenizer.eos_token_id
    model = kit(recipe(LLAMA, "bpe")).bundle.model
    model.resize_token_embeddings(len(tokenizer))
    wild(model)
    bundle = ModelBundle(model, tokenizer, "causal")
    prompt_token_ids = [encoder.prompt(row) for row in ROWS]
    assert all(generate(bundle, prompt_token_ids, Decode(max_new_tokens=6)))
    bias = torch.zeros(model.config.vocab_size)
    bias[encoder.stop] = 1e6
    model.lm_head.bias = torch.nn.Parameter(bias)
    answers = generate(bundle, prompt_token_ids, Decode(max_new_tokens=6), stop=encoder.stop)
    assert answers == [""] * len(ROWS)
    tokenizer.add_special_tokens({"eos_token": "<|eot_id|>"})
    assert generate(bundle, prompt_token_ids, Decode(max_new_tokens=6)) == answers


def test_a_trailing_user_turn_is_left_out_of_training() -> None:
    tokenizer = make_tokenizer("chatml")
    assert make_encoder(tokenizer, WithTrailingUserTurn).encode(ROWS[0]) == make_encoder(tokenizer).encode(ROWS[0])


def test_a_template_that_rewrites_earlier_turns_is_an_error() -> None:
    """Qwen 3 strips the reasoning of earlier answers; here every earlier answer loses its first character."""
    tokenizer = make_tokenizer("chatml")
    tokenizer.chat_template = CHATML.replace(
        "message['content']",
        "(message['content'] if loop.last or message['role'] == 'user' else message['content'][1:])",
    )
    with pytest.raises(ZooError, match="the chat template rewrites earlier turns: ") as error:
        make_encoder(tokenizer, Dialogue).encode(ROWS[0])
    assert "\n" not in str(error.value)
    assert make_encoder(tokenizer).encode(ROWS[0]) == make_encoder(make_tokenizer("chatml")).encode(ROWS[0])


def test_a_template_that_adds_text_to_the_answer_is_an_error() -> None:
    tokenizer = make_tokenizer("chatml")
    thinking = "('<think></think>' + message['content'] if message['role'] == 'assistant' else message['content'])"
    tokenizer.chat_template = CHATML.replace("message['content']", thinking)
    with pytest.raises(ZooError, match="the chat template makes '<think></think>"):
        make_encoder(tokenizer).encode(ROWS[0])


def test_a_template_without_a_stop_token_is_an_error() -> None:
    tokenizer = make_tokenizer("chatml")
    tokenizer.chat_template = CHATML.replace("<|im_end|>", "")
    with pytest.raises(ZooError, match="in which no token is special"):
        make_encoder(tokenizer)


def test_a_missing_or_refusing_chat_template_is_a_clear_error() -> None:
    tokenizer = make_tokenizer("chatml")
    tokenizer.chat_template = "{{ raise_exception('only sonnets') }}"
    with pytest.raises(ZooError, match=r"model\.template: the chat template refuses the conversation: only sonnets"):
        make_encoder(tokenizer)
    tokenizer.chat_template = None
    with pytest.raises(ZooError, match=r"model\.template: the tokenizer has no chat template"):
        make_encoder(tokenizer)


def test_a_chat_template_for_a_seq2seq_backbone_is_an_error() -> None:
    with pytest.raises(ZooError, match=r"model\.template: a chat template for a seq2seq backbone"):
        Encoder(kit(recipe(T5, "bpe")).bundle.tokenizer, Prompts, "seq2seq", 64, template="chat")


def test_a_conversation_that_begins_with_the_answer_is_an_error() -> None:
    with pytest.raises(ZooError, match="the prompt begins with the answer"):
        make_encoder(make_tokenizer("chatml"), BeginsWithAnswer).encode(ROWS[0])
    with pytest.raises(ZooError, match="the prompt begins with the answer"):
        make_encoder(make_tokenizer("chatml"), BeginsWithAnswer).prompt(ROWS[0])


def test_a_conversation_beyond_max_tokens_is_an_error() -> None:
    tokenizer = make_tokenizer("chatml")
    num_tokens = len(make_encoder(tokenizer).encode(ROWS[0]).input_ids)
    with pytest.raises(ZooError, match=f"takes {num_tokens} tokens"):
        make_encoder(tokenizer, max_tokens=num_tokens - 1).encode(ROWS[0])


def test_the_template_of_the_recipe_applies_in_training_and_in_serving() -> None:
    settings = recipe(
        LLAMA, "bpe", model={"template": "chat"}, data={"sizes": {"train": 8, "validation": 2, "test": 2}}
    )
    with pytest.raises(ZooError, match=r"model\.template: the tokenizer has no chat template"):
        build_task(settings)  # a scratch tokenizer has none
    tokenizer, model = make_tokenizer("llama3"), kit(recipe(LLAMA, "bpe")).bundle.model
    served = Predictor(domains.get("arithmetic"), settings, ModelBundle(model, tokenizer, "causal"), Path()).encoder()
    assert served.prompt(ROWS[0]) == make_encoder(tokenizer).prompt(ROWS[0])
    assert served.stop == tokenizer.convert_tokens_to_ids("<|eot_id|>")


@pytest.fixture(scope="module")
def smollm2() -> Any:
    """The tokenizer of the pinned asset, if the user's cache has it; tests do not download it."""
    cache = os.environ.get("INSTRUCTZOO_TEST_CACHE", str(Path.home() / ".cache/instructzoo"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTZOO_CACHE", cache)
        if not downloads.ready(BACKBONES["smollm2-135m"]):
            pytest.skip(f"smollm2-135m is not in {cache}; zoo fetch smollm2-135m brings it")
        return open_tokenizer(downloads.folder("smollm2-135m"))


OPENING = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"


def test_smollm2_supervises_exactly_the_answer_and_its_stop_token(smollm2: Any) -> None:
    row = {**ROWS[0], "instruction": "What is 7 + 5?", "output": "12"}
    stop = smollm2.convert_tokens_to_ids("<|im_end|>")
    question = f"{OPENING}<|im_start|>user\nWhat is 7 + 5?\nAnswer: <|im_end|>\n<|im_start|>assistant\n"
    encoded = make_encoder(smollm2).encode(row)
    assert make_encoder(smollm2).stop == smollm2.eos_token_id == smollm2.pad_token_id == stop
    assert supervised(encoded) == [*token_ids(smollm2, "12"), stop]
    assert encoded.input_ids == token_ids(smollm2, f"{question}12<|im_end|>")
    assert make_encoder(smollm2).prompt({**row, "output": ""}) == token_ids(smollm2, question)
    labels = Causal(smollm2.pad_token_id).collate([encoded, make_encoder(smollm2).encode(ROWS[1])])["labels"]
    assert ((labels == stop).sum(1) == 1).all()


def test_smollm2_supervises_every_answer_of_a_conversation(smollm2: Any) -> None:
    row = {**ROWS[0], "instruction": "What is 7 + 5?", "output": "12"}
    stop = smollm2.convert_tokens_to_ids("<|im_end|>")
    encoded = make_encoder(smollm2, Dialogue).encode(row)
    assert supervised(encoded) == [*token_ids(smollm2, "12"), stop, *token_ids(smollm2, "It is 12"), stop]
    question = "<|im_start|>user\nWhat is 7 + 5?\nAnswer:<|im_end|>\n<|im_start|>assistant\n"
    assert encoded.input_ids == token_ids(smollm2, f"{OPENING}{question}12<|im_end|>\n{question}It is 12<|im_end|>")
