"""Chat templates: what is supervised is each answer and the token that ends it, and what is served is what was
trained."""

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
MARKS = {
    "chatml": ["<|im_start|>", "<|im_end|>"],
    "llama3": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>"],
}
STOPS = {"chatml": "<|im_end|>", "llama3": "<|eot_id|>"}
BOTH = pytest.mark.parametrize("kind", list(MARKS))


def tokenizer(kind: str) -> Any:
    """A byte-level BPE with the marks of a template. ChatML's stop is EOS and padding too; Llama 3's is neither."""
    made = tokenizers.make("bpe", [f"{r['instruction']}{r['output']} user assistant" for r in sums(40)], 400)
    made.add_special_tokens({"extra_special_tokens": MARKS[kind]})
    if kind == "chatml":
        made.add_special_tokens({"eos_token": "<|im_end|>", "pad_token": "<|im_end|>"})
        made.chat_template = CHATML
    else:
        from tokenizers import processors

        made.add_special_tokens({"bos_token": "<|begin_of_text|>"})
        made.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", made.bos_token_id)]
        )
        made.chat_template = LLAMA3
    return made


def encoder(made: Any, prompts: Any = Prompts, max_tokens: int = 512) -> Encoder:
    return Encoder(made, prompts, "causal", max_tokens, template="chat")


def ids(made: Any, text: str) -> list[int]:
    found: list[int] = made(text, add_special_tokens=False)["input_ids"]
    return found


class Dialogue:
    """Two questions in two pieces each, both answered by the model."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        asked = [Segment(row["instruction"], False), Segment("\nAnswer:", False)]
        return [*asked, Segment(row["output"], True), *asked, Segment("It is ", True), Segment(row["output"], True)]


class Thanked:
    """A conversation whose last word is the user's."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        return [*Prompts.render(row, seed), Segment("Thanks.", False)]


class Answered:
    """A prompt that begins with the answer."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        return [Segment(row["output"], True), Segment(row["instruction"], False)]


@BOTH
def test_only_the_answer_and_its_stop_token_are_supervised(kind: str) -> None:
    made = tokenizer(kind)
    end = made.convert_tokens_to_ids(STOPS[kind])
    for row in ROWS:
        encoded = encoder(made).encode(row)
        assert supervised(encoded) == [*ids(made, row["output"]), end]
        asked = [{"role": "user", "content": f"{row['instruction']}\nAnswer: "}]
        whole = made.apply_chat_template([*asked, {"role": "assistant", "content": row["output"]}], return_dict=False)
        assert encoded.ids == whole[: len(encoded.ids)]
        assert encoded.ids[-1] == end


@BOTH
def test_the_served_prompt_equals_the_trained_prompt(kind: str) -> None:
    made = tokenizer(kind)
    for prompts in (Prompts, Dialogue):
        for row in ROWS:
            encoded, served = encoder(made, prompts).encode(row), encoder(made, prompts).prompt({**row, "output": ""})
            first = next(i for i, label in enumerate(encoded.labels) if label != IGNORE_INDEX)
            assert served == encoded.ids[:first]
            asked = "".join(s.text for s in prompts.render(row, 0)[: 1 if prompts is Prompts else 2])
            assert served == made.apply_chat_template(
                [{"role": "user", "content": asked}], add_generation_prompt=True, return_dict=False
            )


@BOTH
def test_every_answer_of_a_conversation_is_supervised(kind: str) -> None:
    made = tokenizer(kind)
    end = made.convert_tokens_to_ids(STOPS[kind])
    for row in ROWS:
        encoded = encoder(made, Dialogue).encode(row)
        told = row["output"]
        assert supervised(encoded) == [*ids(made, told), end, *ids(made, f"It is {told}"), end]
        asked = {"role": "user", "content": f"{row['instruction']}\nAnswer:"}
        turns = [asked, {"role": "assistant", "content": told}]
        turns += [asked, {"role": "assistant", "content": f"It is {told}"}]
        whole = made.apply_chat_template(turns, return_dict=False)
        assert encoded.ids == whole[: len(encoded.ids)]
        assert whole[len(encoded.ids) :] == (ids(made, "\n") if kind == "chatml" else [])


def test_the_bos_token_occurs_exactly_once() -> None:
    made = tokenizer("llama3")
    assert made("x")["input_ids"][0] == made.bos_token_id
    for prompts in (Prompts, Dialogue):
        encoded = encoder(made, prompts).encode(ROWS[0])
        assert encoded.ids.count(made.bos_token_id) == 1 and encoded.ids[0] == made.bos_token_id
        assert encoder(made, prompts).prompt(ROWS[0]).count(made.bos_token_id) == 1


@BOTH
def test_the_stop_token_is_supervised_even_if_it_is_the_padding_token(kind: str) -> None:
    """Where the stop token pads too (trl#1623), the labels still come from the template."""
    made = tokenizer(kind)
    end = made.convert_tokens_to_ids(STOPS[kind])
    assert (made.pad_token_id == end) == (kind == "chatml")
    encoded = encoder(made).encode_all(ROWS)
    assert len({len(e.ids) for e in encoded}) > 1
    labels = Causal(made.pad_token_id).collate(encoded)["labels"]
    assert ((labels == end).sum(1) == 1).all()
    assert [supervised(Encoded([], row)) for row in labels.tolist()] == [supervised(e) for e in encoded]


def test_generation_stops_at_a_template_stop_token_other_than_eos() -> None:
    made = tokenizer("llama3")
    encode = encoder(made)
    assert encode.stop == made.convert_tokens_to_ids("<|eot_id|>") != made.eos_token_id
    model = kit(recipe(LLAMA, "bpe")).loaded.model
    model.resize_token_embeddings(len(made))
    wild(model)
    loaded, asked = ModelBundle(model, made, "causal"), [encode.prompt(row) for row in ROWS]
    assert all(generate(loaded, asked, Decode(max_new_tokens=6)))
    often = torch.zeros(model.config.vocab_size)
    often[encode.stop] = 1e6
    model.lm_head.bias = torch.nn.Parameter(often)
    said = generate(loaded, asked, Decode(max_new_tokens=6), stop=encode.stop)
    assert said == [""] * len(ROWS)
    made.add_special_tokens({"eos_token": "<|eot_id|>"})
    assert generate(loaded, asked, Decode(max_new_tokens=6)) == said


def test_a_trailing_user_turn_is_left_out_of_training() -> None:
    made = tokenizer("chatml")
    assert encoder(made, Thanked).encode(ROWS[0]) == encoder(made).encode(ROWS[0])


def test_a_template_that_rewrites_earlier_turns_is_an_error() -> None:
    """Qwen 3 strips the thoughts of earlier answers; here an answer loses its first character once it is history."""
    made = tokenizer("chatml")
    made.chat_template = CHATML.replace(
        "message['content']",
        "(message['content'] if loop.last or message['role'] == 'user' else message['content'][1:])",
    )
    with pytest.raises(ZooError, match="the chat template rewrites earlier turns: ") as error:
        encoder(made, Dialogue).encode(ROWS[0])
    assert "\n" not in str(error.value)
    assert encoder(made).encode(ROWS[0]) == encoder(tokenizer("chatml")).encode(ROWS[0])


def test_a_template_that_adds_text_to_the_answer_is_an_error() -> None:
    made = tokenizer("chatml")
    thinking = "('<think></think>' + message['content'] if message['role'] == 'assistant' else message['content'])"
    made.chat_template = CHATML.replace("message['content']", thinking)
    with pytest.raises(ZooError, match="the chat template makes '<think></think>"):
        encoder(made).encode(ROWS[0])


def test_a_template_without_a_stop_token_is_an_error() -> None:
    made = tokenizer("chatml")
    made.chat_template = CHATML.replace("<|im_end|>", "")
    with pytest.raises(ZooError, match="in which no token is special"):
        encoder(made)


def test_a_missing_or_refusing_chat_template_is_a_clear_error() -> None:
    made = tokenizer("chatml")
    made.chat_template = "{{ raise_exception('only sonnets') }}"
    with pytest.raises(ZooError, match=r"model\.template: the chat template refuses the conversation: only sonnets"):
        encoder(made)
    made.chat_template = None
    with pytest.raises(ZooError, match=r"model\.template: the tokenizer has no chat template"):
        encoder(made)


def test_a_chat_template_for_a_seq2seq_backbone_is_an_error() -> None:
    with pytest.raises(ZooError, match=r"model\.template: a chat template for a seq2seq backbone"):
        Encoder(kit(recipe(T5, "bpe")).loaded.tokenizer, Prompts, "seq2seq", 64, template="chat")


def test_a_conversation_that_begins_with_the_answer_is_an_error() -> None:
    with pytest.raises(ZooError, match="the prompt begins with the answer"):
        encoder(tokenizer("chatml"), Answered).encode(ROWS[0])
    with pytest.raises(ZooError, match="the prompt begins with the answer"):
        encoder(tokenizer("chatml"), Answered).prompt(ROWS[0])


def test_a_conversation_beyond_max_tokens_is_an_error() -> None:
    made = tokenizer("chatml")
    needed = len(encoder(made).encode(ROWS[0]).ids)
    with pytest.raises(ZooError, match=f"takes {needed} tokens"):
        encoder(made, max_tokens=needed - 1).encode(ROWS[0])


def test_the_template_of_the_recipe_applies_in_training_and_in_serving() -> None:
    settings = recipe(
        LLAMA, "bpe", model={"template": "chat"}, data={"sizes": {"train": 8, "validation": 2, "test": 2}}
    )
    with pytest.raises(ZooError, match=r"model\.template: the tokenizer has no chat template"):
        build_task(settings)  # a scratch tokenizer has none
    made = tokenizer("llama3")
    served = Predictor(domains.get("arithmetic"), settings, ModelBundle(None, made, "causal"), Path()).encoder()
    assert served.prompt(ROWS[0]) == encoder(made).prompt(ROWS[0])
    assert served.stop == made.convert_tokens_to_ids("<|eot_id|>")


@pytest.fixture(scope="module")
def smollm2() -> Any:
    """The tokenizer of the pinned asset, where the user's cache has it; tests never download it."""
    cache = os.environ.get("INSTRUCTZOO_TEST_CACHE", str(Path.home() / ".cache/instructzoo"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTZOO_CACHE", cache)
        if not downloads.ready(BACKBONES["smollm2-135m"]):
            pytest.skip(f"smollm2-135m is not in {cache}; zoo fetch smollm2-135m brings it")
        return open_tokenizer(downloads.folder("smollm2-135m"))


OPENING = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"


def test_smollm2_supervises_exactly_the_answer_and_its_stop_token(smollm2: Any) -> None:
    row = {**ROWS[0], "instruction": "What is 7 + 5?", "output": "12"}
    end = smollm2.convert_tokens_to_ids("<|im_end|>")
    asked = f"{OPENING}<|im_start|>user\nWhat is 7 + 5?\nAnswer: <|im_end|>\n<|im_start|>assistant\n"
    encoded = encoder(smollm2).encode(row)
    assert encoder(smollm2).stop == smollm2.eos_token_id == smollm2.pad_token_id == end
    assert supervised(encoded) == [*ids(smollm2, "12"), end]
    assert encoded.ids == ids(smollm2, f"{asked}12<|im_end|>")
    assert encoder(smollm2).prompt({**row, "output": ""}) == ids(smollm2, asked)
    labels = Causal(smollm2.pad_token_id).collate([encoded, encoder(smollm2).encode(ROWS[1])])["labels"]
    assert ((labels == end).sum(1) == 1).all()


def test_smollm2_supervises_every_answer_of_a_conversation(smollm2: Any) -> None:
    row = {**ROWS[0], "instruction": "What is 7 + 5?", "output": "12"}
    end = smollm2.convert_tokens_to_ids("<|im_end|>")
    encoded = encoder(smollm2, Dialogue).encode(row)
    assert supervised(encoded) == [*ids(smollm2, "12"), end, *ids(smollm2, "It is 12"), end]
    asked = "<|im_start|>user\nWhat is 7 + 5?\nAnswer:<|im_end|>\n<|im_start|>assistant\n"
    assert encoded.ids == ids(smollm2, f"{OPENING}{asked}12<|im_end|>\n{asked}It is 12<|im_end|>")
