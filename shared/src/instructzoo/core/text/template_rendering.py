"""Rendering of a tokenizer's chat template: the same conversation always gives the same text.

A template is given a fixed date, and no reasoning where it leaves the choice. Control tokens that a message spells out
are hidden from the template and come back as text.
"""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.text.text_tokenizer import Piece, TextTokenizer

WHERE = "model.template"
"""The setting that the errors name."""

PROBES = ("Zugzwang", "Fianchetto", "Zwischenzug")
"""Words that no template contains: what a template renders around them is its own."""

PLACEHOLDER = "\U0010fffd"
"""A character for private use, put around the number of a hidden spelling; itself hidden where a text has it."""

DIRECTIVES = "aAbBcdfHIjmMpSUwWxXyYzZ"
"""The directives of strftime that every platform has."""

DRAWS = 16
"""Renderings with different random numbers that must be equal."""


@dataclass(frozen=True)
class TemplateRenderer:
    """Renders conversations with a tokenizer's chat template.

    Args:
        tokenizer: A tokenizer of transformers.
        date: The date that the template is told.

    Raises:
        ZooError: There is no template, it refuses a conversation, or it draws random numbers.
    """

    tokenizer: Any
    date: datetime.date

    def __post_init__(self) -> None:
        if not self.tokenizer.chat_template:
            raise ZooError(
                "the tokenizer has no chat template",
                "one that came with its model",
                "take an instruction-tuned backbone, or model.template=plain",
                WHERE,
            )
        random_state, renderings = random.getstate(), set()
        try:
            for seed in range(DRAWS):
                random.seed(seed)
                renderings.add(self.render(probe_messages(1), True))
        finally:
            random.setstate(random_state)
        if len(renderings) > 1:
            raise ZooError(
                "the chat template writes random text",
                "the same text for the same conversation, so that what is read is what was learnt",
                "model.template=plain",
                WHERE,
            )

    @cached_property
    def template(self) -> str:
        """The template, after the values of the variables that it reads and that are not left to the moment."""
        source = self.tokenizer.get_chat_template()
        return "".join(line for name, line in _fixed_variables(self.date).items() if name in source) + source

    @cached_property
    def text_tokenizer(self) -> TextTokenizer:
        """The tokenizer of rendered text, to which the tokens of `turn_tokens` are control tokens."""
        return TextTokenizer(self.tokenizer, frozenset(self.turn_tokens.values()))

    @cached_property
    def turn_tokens(self) -> dict[str, int]:
        """Ids by spelling of the special tokens, and of the added tokens that the template writes."""
        rendered = "".join(self.render(probe_messages(n), n % 2 == 1) for n in (1, 2, 3))
        written = set(self.tokenizer(rendered, add_special_tokens=False)["input_ids"])
        added = self.tokenizer.added_tokens_decoder
        marks = {
            token.content: token_id
            for token_id, token in added.items()
            if (token_id in written or (len(token.content) > 2 and token.content in self.template))
            and not (token.content.isspace() or token.content.isalnum())
        }
        special = {spelling: token_id for token_id, spelling in TextTokenizer(self.tokenizer).control.items()}
        return marks | special

    def render(self, messages: list[dict[str, str]], add_generation_prompt: bool) -> str:
        """Render a conversation.

        Args:
            messages: {"role", "content"} each, the role being "user" or "assistant".
            add_generation_prompt: Whether a turn of the assistant is opened at the end.

        Returns:
            The text. Messages are values that the template is given: what they say is never evaluated.

        Raises:
            ZooError: The template refuses the conversation.
        """
        from jinja2 import TemplateError

        try:
            text: str = self.tokenizer.apply_chat_template(
                messages,
                chat_template=self.template,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
            )
        except (TemplateError, ValueError, TypeError) as error:
            raise ZooError(
                f"the chat template refuses the conversation: {error}",
                "a template of user and assistant turns",
                "model.template=plain",
                WHERE,
            ) from error
        return text

    def hiding(self, token_ids: Iterable[int]) -> re.Pattern[str]:
        """Return the pattern that `hide` takes to hide the spellings of tokens of `turn_tokens`."""
        hidden = set(token_ids)
        return _any_of(s for s in self._spellings if s == PLACEHOLDER or self.turn_tokens[s] in hidden)

    def hide(self, text: str, pattern: re.Pattern[str]) -> str:
        """Replace what `pattern` matches in a message by placeholders, which templates leave as they are."""
        return pattern.sub(lambda match: f"{PLACEHOLDER}{self._spellings.index(match[0])}{PLACEHOLDER}", text)

    def pieces(self, rendered: str) -> list[Piece]:
        """Split rendered text into the control tokens that the template wrote and the text between them, restored."""
        pieces: list[Piece] = []
        literal = ""
        for part in self._splitter.split(rendered):
            if part in self.turn_tokens:
                pieces += [literal, self.turn_tokens[part]]
                literal = ""
            elif part.startswith(PLACEHOLDER):
                literal += self._spellings[int(part.strip(PLACEHOLDER))]
            else:
                literal += part
        return [piece for piece in [*pieces, literal] if piece != ""]

    @cached_property
    def _spellings(self) -> list[str]:
        """What may have to be hidden, longest first, as tokenizers match added tokens."""
        return sorted([PLACEHOLDER, *self.turn_tokens], key=len, reverse=True)

    @cached_property
    def _splitter(self) -> re.Pattern[str]:
        """Splits rendered text at placeholders and control tokens, which it keeps."""
        return re.compile(f"({PLACEHOLDER}[0-9]+{PLACEHOLDER}|{_any_of(self.turn_tokens).pattern})")


def _fixed_variables(date: datetime.date) -> dict[str, str]:
    """Return a line of Jinja for each variable that templates of several model families read.

    Each line ends with the line break that transformers drops after a block, so that it adds nothing to the text.
    """
    midnight = datetime.datetime.combine(date, datetime.time())
    values = {"-d": str(date.day), "-m": str(date.month), "e": f"{date.day:2}", "F": date.isoformat()}
    values |= {directive: midnight.strftime(f"%{directive}") for directive in DIRECTIVES}
    replaced = "".join(f"|replace('%{directive}', '{value}')" for directive, value in values.items())
    return {
        "enable_thinking": "{% set enable_thinking = false %}\n",
        "thinking": "{% set thinking = false %}\n",
        "date_string": f"{{% set date_string = '{midnight.strftime('%d %b %Y')}' %}}\n",
        "strftime_now": f"{{% macro strftime_now(format) %}}{{{{ format{replaced} }}}}{{% endmacro %}}\n",
    }


def probe_messages(n: int) -> list[dict[str, str]]:
    """Return a conversation of the first n probes, which begins with the user."""
    return [message("assistant" if i % 2 else "user", PROBES[i]) for i in range(n)]


def message(role: str, text: str) -> dict[str, str]:
    """Return a message as chat templates take it."""
    return {"role": role, "content": text}


def _any_of(spellings: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of any of the spellings, the longest where several match."""
    return re.compile("|".join(map(re.escape, sorted(spellings, key=len, reverse=True))))
