"""Templates in the shapes of well-known families: supported with what transformers renders, or refused in one line."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from chat_templates import FAMILIES, REASONS_FIRST, family_tokenizer
from kit import LLAMA, Prompts, kit, recipe, sums, supervised
from transformers import AutoTokenizer
from transformers.utils import chat_template_utils

from instructzoo.core import domain as domains
from instructzoo.core.errors import ZooError
from instructzoo.core.infer import Predictor
from instructzoo.core.models import ModelBundle
from instructzoo.core.record import Row, Segment
from instructzoo.core.text import IGNORE_INDEX, Encoder

ROW = sums(1)[0]
EVERY = pytest.mark.parametrize("name", list(FAMILIES))
DATED = pytest.mark.parametrize("name", ["dated", "clock", "smollm3"])
HEADERS = {"harmony": "<|channel|>final<|message|>"}
"""What a family writes before an answer and leaves out of its generation prompt."""


class ThreeAnswers:
    """A conversation of three questions, all answered by the model."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        return [segment for n in "123" for segment in (Segment(f"Question {n}?", False), Segment(f"It is {n}.", True))]


def make_encoder(name: str, prompts: Any = Prompts, **settings: Any) -> Encoder:
    return Encoder(family_tokenizer(FAMILIES[name]), prompts, "causal", 900, template="chat", **settings)


def served(encoder: Encoder, name: str, messages: list[dict[str, str]]) -> list[int]:
    """What transformers renders for a conversation, with the header that a family leaves to the model."""
    prompt: str = encoder.tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=False, enable_thinking=False
    )
    token_ids: list[int] = encoder.tokenizer(prompt + HEADERS.get(name, ""), add_special_tokens=False)["input_ids"]
    return token_ids


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock of transformers' templates to the day of TEMPLATE_DATE, or to the given one."""

    def move(day: datetime.date = datetime.date(2024, 7, 26)) -> None:
        class Clock(datetime.datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return cls(day.year, day.month, day.day, tzinfo=tz)

        monkeypatch.setattr(chat_template_utils, "datetime", Clock)

    move()
    return move


@EVERY
def test_the_prompt_is_what_transformers_renders(name: str, today: Any) -> None:
    encoder = make_encoder(name)
    question = {"role": "user", "content": f"{ROW['instruction']}\nAnswer: "}
    assert encoder.prompt(ROW) == served(encoder, name, [question])


@EVERY
def test_exactly_the_answer_and_its_stop_token_are_learnt_after_the_served_prompt(name: str) -> None:
    encoder = make_encoder(name)
    encoded, prompt_ids = encoder.encode(ROW), encoder.prompt(ROW)
    assert encoded.labels == [IGNORE_INDEX] * len(prompt_ids) + encoded.input_ids[len(prompt_ids) :]
    assert encoded.input_ids[: len(prompt_ids)] == prompt_ids
    answer = encoder.tokenizer.decode(supervised(encoded)[:-1], skip_special_tokens=False)
    assert answer.strip() == ROW["output"]
    assert encoder.tokenizer.convert_ids_to_tokens(encoder.stop) == FAMILIES[name].special[-1]
    assert supervised(encoded)[-1] == encoder.stop


@EVERY
def test_every_answer_of_a_conversation_is_learnt_after_what_is_served_before_it(name: str, today: Any) -> None:
    encoder, messages, learnt = make_encoder(name, ThreeAnswers), [], []
    sequences = encoder.encode_all([ROW])
    for encoded in sequences:
        is_learnt = [label != IGNORE_INDEX for label in encoded.labels]
        starts = [i for i in range(1, len(is_learnt)) if is_learnt[i] and not is_learnt[i - 1]]
        learnt += [encoded.input_ids[:start] for start in starts]
    for n, prompt_ids in zip("123", learnt, strict=True):
        messages.append({"role": "user", "content": f"Question {n}?"})
        assert prompt_ids == served(encoder, name, messages)
        messages.append({"role": "assistant", "content": f"It is {n}."})
    assert len(sequences) == (3 if name in ("qwen3", "harmony") else 1)  # which write earlier answers otherwise


def test_no_reasoning_is_left_in_the_history_of_a_family_that_drops_it() -> None:
    encoder = make_encoder("qwen3", ThreeAnswers)
    texts = [encoder.tokenizer.decode(encoded.input_ids) for encoded in encoder.encode_all([ROW])]
    assert [text.count("<think>\n\n</think>\n\nIt is") for text in texts] == [1, 1, 1]
    assert [text.count("<think>") for text in texts] == [1, 1, 1]
    reasoning = encoder.tokenizer.convert_tokens_to_ids("<think>")
    assert not any(reasoning in encoded.labels for encoded in encoder.encode_all([ROW]))


@DATED
def test_a_prompt_does_not_depend_on_the_day(name: str, today: Any) -> None:
    encoder = make_encoder(name)
    before, question = encoder.prompt(ROW), {"role": "user", "content": f"{ROW['instruction']}\nAnswer: "}
    today(datetime.date(2031, 2, 3))
    assert served(encoder, name, [question]) != before  # the template itself writes the day
    assert encoder.prompt(ROW) == make_encoder(name).prompt(ROW) == before
    assert encoder.encode(ROW).input_ids[: len(before)] == before


@DATED
def test_the_date_of_the_recipe_is_told_in_training_and_in_serving(name: str) -> None:
    settings = recipe(LLAMA, "bpe", model={"template": "chat", "template_date": "2025-12-31", "max_tokens": 900})
    tokenizer, model = family_tokenizer(FAMILIES[name]), kit(recipe(LLAMA, "bpe")).bundle.model
    predictor = Predictor(domains.get("arithmetic"), settings, ModelBundle(model, tokenizer, "causal"), Path())
    prompt_ids = predictor.encoder().prompt(ROW)
    text = tokenizer.decode(prompt_ids)
    assert "31" in text and "Dec" in text and "2025" in text
    assert prompt_ids == make_encoder(name, template_date=datetime.date(2025, 12, 31)).prompt(ROW)
    assert "template_date: '2025-12-31'" in settings.resolved()


@pytest.mark.parametrize("name", ["dated", "qwen3", "harmony"])
def test_an_exported_model_renders_the_prompt_that_was_trained(name: str, tmp_path: Path, today: Any) -> None:
    settings = recipe(LLAMA, "bpe", model={"template": "chat", "template_date": "2025-12-31", "max_tokens": 900})
    tokenizer, model = family_tokenizer(FAMILIES[name]), kit(recipe(LLAMA, "bpe")).bundle.model
    model.resize_token_embeddings(len(tokenizer))
    predictor = Predictor(domains.get("arithmetic"), settings, ModelBundle(model, tokenizer, "causal"), Path())
    exported = predictor.exported(tmp_path, half=False)
    other_program = AutoTokenizer.from_pretrained(tmp_path)
    today(datetime.date(2031, 2, 3))
    question = {"role": "user", "content": predictor.domain.module("prompts").render(ROW, 0)[0].text}
    rendered = other_program.apply_chat_template([question], add_generation_prompt=True, return_dict=False)
    assert rendered == predictor.encoder().prompt(ROW) == exported.encoder().prompt(ROW)
    assert tokenizer.chat_template == FAMILIES[name].template  # the loaded one is as it was


def test_a_template_that_forces_reasoning_is_refused_in_one_line() -> None:
    with pytest.raises(ZooError, match=r"opens an answer by '<think>\\n' and writes answers without it") as error:
        Encoder(family_tokenizer(REASONS_FIRST), Prompts, "causal", 900, template="chat")
    assert "\n" not in str(error.value) and "model.template=plain" in str(error.value)


@pytest.mark.parametrize("chance", ["{{ ['Hi', 'Hello'] | random }}", "{{ lipsum() }}"])
def test_a_template_that_draws_random_numbers_is_refused(chance: str) -> None:
    family = FAMILIES["chatml"]
    tokenizer = family_tokenizer(family._replace(template=chance + family.template))
    with pytest.raises(ZooError, match="the chat template writes random text"):
        Encoder(tokenizer, Prompts, "causal", 900, template="chat")


def test_fixed_values_add_nothing_to_what_a_template_writes() -> None:
    """Neither line breaks nor spaces, also where the template begins with some."""
    for start in ("", "\n", "  ", "\n\n  {% if true %}x{% endif %}\n", " {% if true %}y{% endif %}"):
        family = FAMILIES["qwen3"]
        tokenizer = family_tokenizer(family._replace(template=start + family.template))
        encoder = Encoder(tokenizer, Prompts, "causal", 900, template="chat")
        question = {"role": "user", "content": f"{ROW['instruction']}\nAnswer: "}
        assert encoder.prompt(ROW) == served(encoder, "qwen3", [question])


def test_a_message_that_looks_like_a_template_is_not_evaluated() -> None:
    encoder = make_encoder("chatml")
    text = "{{ 7 * 7 }}{% for m in messages %}{{ m }}{% endfor %}{# gone #}{{ raise_exception('no') }}"
    assert text in encoder.tokenizer.decode(encoder.prompt({**ROW, "instruction": text}))
