"""Chat templates in the shapes of well-known model families, and tokenizers that carry them."""

from __future__ import annotations

from typing import Any, NamedTuple

from kit import sums

from instructzoo.core.models import tokenizers


class Family(NamedTuple):
    """A template with its tokens. special: special tokens, the last one ends answers. added: further added tokens."""

    template: str
    special: tuple[str, ...]
    added: tuple[str, ...] = ()


def _turns(user: str, assistant: str, head: str = "", tail: str = "") -> str:
    """A template of user and assistant turns. head: before them. tail: what opens the next answer."""
    return (
        f"{head}{{% for m in messages %}}{{% if m.role == 'user' %}}{user}{{% else %}}{assistant}{{% endif %}}"
        f"{{% endfor %}}{{% if add_generation_prompt %}}{tail}{{% endif %}}"
    )


_IM = ("<|im_start|>", "<|im_end|>")
_IM_USER = "{{ '<|im_start|>user\n' + m.content + '<|im_end|>\n' }}"
_IM_ASSISTANT = "{{ '<|im_start|>assistant\n' + m.content + '<|im_end|>\n' }}"
_IM_TAIL = "{{ '<|im_start|>assistant\n' }}"
_EMPTY = "{{ '<think>\n\n</think>\n\n' }}"
_REJECT_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"

FAMILIES = {
    "chatml": Family(_turns(_IM_USER, _IM_ASSISTANT, tail=_IM_TAIL), _IM),
    "phi": Family(
        _turns(
            "{{ '<|user|>\n' + m.content + '<|end|>\n' }}",
            "{{ '<|assistant|>\n' + m.content + '<|end|>\n' }}",
            tail="{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}",
        ),
        ("<|user|>", "<|assistant|>", "<|end|>"),
    ),
    "gemma": Family(
        _turns(
            "{{ '<start_of_turn>user\n' + m.content | trim + '<end_of_turn>\n' }}",
            "{{ '<start_of_turn>model\n' + m.content | trim + '<end_of_turn>\n' }}",
            head=_REJECT_SYSTEM,
            tail="{{ '<start_of_turn>model\n' }}",
        ),
        ("<start_of_turn>", "<end_of_turn>"),
    ),
    "mistral": Family(
        _turns("{{ '[INST] ' + m.content + ' [/INST]' }}", "{{ ' ' + m.content + '[END]' }}"),
        ("[INST]", "[/INST]", "[END]"),
    ),
    "dated": Family(
        _turns(
            _IM_USER,
            _IM_ASSISTANT,
            head="{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
            "{{ '<|im_start|>system\nToday: ' + date_string + '<|im_end|>\n' }}",
            tail=_IM_TAIL,
        ),
        _IM,
    ),
    "clock": Family(
        _turns(
            _IM_USER,
            _IM_ASSISTANT,
            head="{{ '<|im_start|>system\nNow: ' + strftime_now('%A %-d %B %Y %H:%M:%S') + '<|im_end|>\n' }}",
            tail=_IM_TAIL,
        ),
        _IM,
    ),
    # reasoning that can be switched off; it is written for the latest answer alone
    "qwen3": Family(
        _turns(
            _IM_USER,
            "{{ '<|im_start|>assistant\n' }}{% if loop.last %}"
            + _EMPTY
            + "{% endif %}{{ m.content + '<|im_end|>\n' }}",
            tail=_IM_TAIL + "{% if enable_thinking is defined and not enable_thinking %}" + _EMPTY + "{% endif %}",
        ),
        _IM,
        ("<think>", "</think>"),
    ),
    # reasoning that can be switched off; written for every answer
    "smollm3": Family(
        _turns(
            _IM_USER,
            _IM_TAIL + _EMPTY + "{{ m.content + '<|im_end|>\n' }}",
            head="{% if enable_thinking is not defined %}{% set enable_thinking = true %}{% endif %}"
            "{{ '<|im_start|>system\nDate: ' + strftime_now('%d %B %Y') }}"
            "{{ ' /think' if enable_thinking else ' /no_think' }}{{ '<|im_end|>\n' }}",
            tail=_IM_TAIL + "{% if not enable_thinking %}" + _EMPTY + "{% endif %}",
        ),
        _IM,
        ("<think>", "</think>"),
    ),
    # reasoning that is off unless it is asked for; the token that ends it opens every answer
    "deepseek": Family(
        _turns(
            "{{ '<|User|>' + m.content }}",
            "{{ '<|Assistant|></think>' + m.content + '<|done|>' }}",
            tail="{{ '<|Assistant|>' }}{{ '<think>' if thinking is defined and thinking else '</think>' }}",
        ),
        ("<|User|>", "<|Assistant|>", "<|done|>"),
        ("<think>", "</think>"),
    ),
    # the latest answer has a channel and a stop token of its own, which the generation prompt leaves to the model
    "harmony": Family(
        _turns(
            "{{ '<|start|>user<|message|>' + m.content + '<|end|>' }}",
            "{{ '<|start|>assistant<|channel|>final<|message|>' + m.content }}"
            "{{ '<|return|>' if loop.last else '<|end|>' }}",
            tail="{{ '<|start|>assistant' }}",
        ),
        ("<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|return|>"),
    ),
}

REASONS_FIRST = Family(  # reasoning that is opened for every answer and cannot be switched off
    _turns(
        "{{ '<|User|>' + m.content }}",
        "{{ '<|Assistant|>' + m.content.split('</think>')[-1] + '<|done|>' }}",
        tail="{{ '<|Assistant|><think>\n' }}",
    ),
    ("<|User|>", "<|Assistant|>", "<|done|>"),
    ("<think>", "</think>"),
)


def family_tokenizer(family: Family) -> Any:
    """Train a byte-level BPE on sums and give it a family's tokens and template."""
    texts = [f"{row['instruction']}{row['output']} user assistant" for row in sums(40)]
    tokenizer = tokenizers.train_tokenizer("bpe", texts, 400)
    tokenizer.add_special_tokens({"extra_special_tokens": list(family.special)})
    tokenizer.add_tokens(list(family.added))
    tokenizer.chat_template = family.template
    return tokenizer
