"""Segments in a tokenizer's own chat template: prompts become user turns, targets become assistant turns.

    [("What is 2 + 3?", False), ("5", True)]                                              the domain's segments
    [("<|im_start|>user\\nWhat is 2 + 3?<|im_end|>\\n<|im_start|>assistant\\n", False),   the same in ChatML
     ("5<|im_end|>", True)]

The boundaries are found by rendering longer and longer prefixes of the conversation: what a turn adds is the difference
to the rendering before. Nothing is searched for in the rendered text. Text after the stop token (such as a line break)
belongs to the next user turn.
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
"""A word that no template contains: what a template renders after it is the end of every answer."""

WHERE = "model.template"
"""The setting that the errors name."""


class AnswerEnd(NamedTuple):
    """What the template renders after an answer: `text` up to its stop token (inclusive), and `rest` after that."""

    text: str
    rest: str
    token: int


@dataclass(frozen=True)
class Chat:
    """The chat template of a tokenizer.

    Raises:
        ZooError: There is no template, or it does not end answers with a special token.
    """

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
    def end(self) -> AnswerEnd:
        """How the template ends an answer, rendered from a conversation of one meaningless word."""
        question, answer = _message("user", PROBE), _message("assistant", PROBE)
        before, after = self._render([question], True), self._render([question, answer], False)
        tail = _added(before, after).rpartition(PROBE)[2]
        special = self.tokenizer.added_tokens_decoder
        token_ids = self.tokenizer(tail, add_special_tokens=False)["input_ids"]
        stop = next((token for token in token_ids if token in special), None)
        if stop is None:
            raise ZooError(
                f"the chat template ends an answer by {tail!r}, in which no token is special",
                "a token that says the answer is over: a model without one never stops",
                "model.template=plain",
                WHERE,
            )
        text, stop_text, rest = tail.partition(special[stop].content)
        return AnswerEnd(text + stop_text, rest, stop)

    def turns(self, segments: Sequence[Segment]) -> list[Segment]:
        """Return the rendered conversation as segments, one per turn; text after the last answer is left out.

        Raises:
            ZooError: The conversation begins with an answer, or the template rewrites earlier turns or answers.
        """
        messages: list[dict[str, str]] = []
        turns: list[Segment] = []
        rendered = ""
        for supervised, text in _merged(segments):
            messages.append(_message("assistant" if supervised else "user", text))
            if supervised:
                rendered = self._append_answer(messages, rendered, turns)
            else:
                before, rendered = rendered, self._render(messages, True)
                turns.append(Segment(_added(before, rendered), False))
        return turns if turns[-1].supervised else turns[:-1]

    def question(self, segments: Sequence[Segment]) -> str:
        """Return what the model reads before it answers: the first turn of `turns`, also where the answer is empty.

        Raises:
            ZooError: The conversation begins with an answer.
        """
        supervised, first_segments = next(groupby(segments, key=lambda s: s.supervised), (True, ()))
        prompt = "" if supervised else "".join(s.text for s in first_segments)
        if not prompt:
            raise _no_question()
        return self._render([_message("user", prompt)], True)

    def _append_answer(self, messages: list[dict[str, str]], rendered: str, turns: list[Segment]) -> str:
        """Append the last message, an answer, to `turns`; return what has been rendered up to its stop token."""
        if not turns:
            raise _no_question()
        target = messages[-1]["content"]
        answer = _added(rendered, self._render(messages, False))
        body = answer.removesuffix(self.end.text + self.end.rest)
        if len(body) == len(answer) or body.strip() != target.strip():
            raise ZooError(
                f"the chat template makes {_short(answer)} of the answer {_short(target)}",
                f"the answer and {self.end.text!r}",
                "model.template=plain",
                WHERE,
            )
        turns.append(Segment(body + self.end.text, True))
        return rendered + turns[-1].text

    def _render(self, messages: list[dict[str, str]], add_generation_prompt: bool) -> str:
        """Render a conversation, if asked for with the text that opens the assistant's turn."""
        from jinja2 import TemplateError

        try:
            text: str = self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=add_generation_prompt
            )
        except (TemplateError, ValueError, TypeError) as error:
            raise ZooError(
                f"the chat template refuses the conversation: {error}",
                "a template of user and assistant turns",
                "model.template=plain",
                WHERE,
            ) from error
        return text


def _merged(segments: Sequence[Segment]) -> list[tuple[bool, str]]:
    """Merge neighbouring segments that are both supervised or both not; drop empty ones."""
    groups = groupby((s for s in segments if s.text), key=lambda s: s.supervised)
    return [(supervised, "".join(s.text for s in group)) for supervised, group in groups]


def _added(before: str, after: str) -> str:
    """Return what `after` adds to `before`; raise ZooError if it does not begin with it."""
    if not after.startswith(before):
        raise ZooError(
            f"the chat template rewrites earlier turns: {_short(before)} is no beginning of {_short(after)}",
            "a template that only appends, so that what is read is what was learnt",
            "model.template=plain",
            WHERE,
        )
    return after[len(before) :]


def _message(role: str, text: str) -> dict[str, str]:
    """Return a message as chat templates take it."""
    return {"role": role, "content": text}


def _short(text: str) -> str:
    """Return a text for an error message, its middle left out if it is long."""
    return repr(text if len(text) <= 80 else f"{text[:20]}…{text[-59:]}")


def _no_question() -> ZooError:
    """Return the error for a conversation that begins with the answer."""
    return ZooError("the prompt begins with the answer", "something to read before it", "model.template=plain", WHERE)
