"""Segments inside a tokenizer's own chat template: what is read becomes user turns, what is learnt assistant turns.

    [("What is 2 + 3?", False), ("5", True)]                                              the domain's segments
    [("<|im_start|>user\\nWhat is 2 + 3?<|im_end|>\\n<|im_start|>assistant\\n", False),   what they become,
     ("5<|im_end|>", True)]                                                               under ChatML

The boundaries come from rendering growing beginnings of the conversation, each the beginning of the next; nothing is
searched for in what was rendered. What follows the stop token (a line break, say) opens the next user turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Segment

PROBE = "Zugzwang"
"""An answer that no template holds: what is written after it ends every answer."""

WHERE = "model.template"


class End(NamedTuple):
    """How the template ends an answer: `text` up to its stop token, inclusive, and `rest` after that."""

    text: str
    rest: str
    token: int


@dataclass(frozen=True)
class Chat:
    """The chat template of a tokenizer. Raises ZooError where there is none, or none that a model can learn from."""

    tokenizer: Any

    def __post_init__(self) -> None:
        if not self.tokenizer.chat_template:
            raise ZooError(
                "the tokenizer has no chat template",
                "one that came with its model",
                "take an instruction-tuned backbone, or model.template=plain",
                WHERE,
            )

    @cached_property
    def end(self) -> End:
        """Found once, from a conversation about nothing."""
        asked = [_message("user", PROBE)]
        before, after = self._render(asked, True), self._render([*asked, _message("assistant", PROBE)], False)
        tail = _added(before, after).rpartition(PROBE)[2]
        known = self.tokenizer.added_tokens_decoder
        stop = next((i for i in self.tokenizer(tail, add_special_tokens=False)["input_ids"] if i in known), None)
        if stop is None:
            raise ZooError(
                f"the chat template ends an answer by {tail!r}, in which no token is special",
                "a token that says the answer is over: a model without one never stops",
                "model.template=plain",
                WHERE,
            )
        text, mark, rest = tail.partition(known[stop].content)
        return End(text + mark, rest, stop)

    def turns(self, segments: Sequence[Segment]) -> list[Segment]:
        """The conversation as text, cut where supervision begins and ends. What follows the last answer is left out."""
        messages: list[dict[str, str]] = []
        turns: list[Segment] = []
        seen = ""
        for supervised, text in _stretches(segments):
            messages.append(_message("assistant" if supervised else "user", text))
            if supervised:
                seen = self._answer(messages, seen, turns)
            else:
                before, seen = seen, self._render(messages, True)
                turns.append(Segment(_added(before, seen), False))
        return turns if turns[-1].supervised else turns[:-1]

    def question(self, segments: Sequence[Segment]) -> str:
        """What the model reads before it answers: `turns` up to the first supervised one, which may still be empty."""
        first, text = next(groupby(segments, key=lambda s: s.supervised), (True, ()))
        asked = "" if first else "".join(s.text for s in text)
        if not asked:
            raise _unasked()
        return self._render([_message("user", asked)], True)

    def _answer(self, messages: list[dict[str, str]], seen: str, turns: list[Segment]) -> str:
        """Append the last message, an answer, to `turns`; returns what has been rendered, up to its stop token."""
        if not turns:
            raise _unasked()
        target = messages[-1]["content"]
        written = _added(seen, self._render(messages, False))
        body = written.removesuffix(self.end.text + self.end.rest)
        if len(body) == len(written) or body.strip() != target.strip():
            raise ZooError(
                f"the chat template makes {_short(written)} of the answer {_short(target)}",
                f"the answer and {self.end.text!r}",
                "model.template=plain",
                WHERE,
            )
        turns.append(Segment(body + self.end.text, True))
        return seen + turns[-1].text

    def _render(self, messages: list[dict[str, str]], question: bool) -> str:
        """The conversation so far; `question`: with the words that open the assistant's turn."""
        from jinja2 import TemplateError

        try:
            text: str = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=question)
        except (TemplateError, ValueError, TypeError) as error:
            raise ZooError(
                f"the chat template refuses the conversation: {error}",
                "a template of user and assistant turns",
                "model.template=plain",
                WHERE,
            ) from error
        return text


def _stretches(segments: Sequence[Segment]) -> list[tuple[bool, str]]:
    """Neighbours of one kind as one turn, empty ones aside."""
    groups = groupby((s for s in segments if s.text), key=lambda s: s.supervised)
    return [(supervised, "".join(s.text for s in group)) for supervised, group in groups]


def _added(before: str, after: str) -> str:
    if not after.startswith(before):
        raise ZooError(
            f"the chat template rewrites earlier turns: {_short(before)} is no beginning of {_short(after)}",
            "a template that only appends, so that what is read is what was learnt",
            "model.template=plain",
            WHERE,
        )
    return after[len(before) :]


def _message(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:20]}…{text[-59:]}")


def _unasked() -> ZooError:
    return ZooError("the prompt begins with the answer", "something to read before it", "model.template=plain", WHERE)
