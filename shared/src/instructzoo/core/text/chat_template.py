"""Segments in a tokenizer's own chat template: prompts become user turns, targets become assistant turns.

    [("What is 2 + 3?", False), ("5", True)]                                              the domain's segments
    [("<|im_start|>user\\nWhat is 2 + 3?<|im_end|>\\n<|im_start|>assistant\\n", False),   the same in ChatML
     ("5<|im_end|>", True)]

The boundaries are found by rendering longer and longer prefixes of the conversation: what a turn adds is the difference
to the rendering before. Text after the stop token (such as a line break) belongs to the next user turn. A template that
writes an earlier turn otherwise than the latest one (Qwen 3 drops its empty reasoning) gets a sequence for each answer,
so that every answer is learnt after exactly what is read before it.

A control token that a text spells out is hidden while the template is applied, so that only those which the template
itself writes become control tokens (text_tokenizer.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Segment
from instructzoo.core.text.template_rendering import PROBES, WHERE, TemplateRenderer, message, probe_messages
from instructzoo.core.text.text_tokenizer import Piece, TextTokenizer


class AnswerFrame(NamedTuple):
    """What the template renders around an answer.

    Attributes:
        opening: Tokens between the generation prompt and the answer (a channel, an empty reasoning): they are read.
        text: What follows the answer up to the stop token, inclusive.
        rest: What follows that.
        token: Id of the stop token.
    """

    opening: str
    text: str
    rest: str
    token: int


class ChatTurn(NamedTuple):
    """What one turn adds to the rendered conversation, and whether it is supervised."""

    pieces: list[Piece]
    supervised: bool


@dataclass(frozen=True)
class Chat:
    """The chat template of a tokenizer.

    Args:
        renderer: Renders conversations with it.

    Raises:
        ZooError: The template has no answers that can be learnt as they are served.
    """

    renderer: TemplateRenderer

    @cached_property
    def frame(self) -> AnswerFrame:
        """What the template renders around an answer, found with a conversation of meaningless words."""
        before, after = self.renderer.render(probe_messages(1), True), self.renderer.render(probe_messages(2), False)
        added = _answer_of(before, after)
        opening, probe, tail = added.rpartition(PROBES[1])
        leading_token = next(iter(self._added_tokens(opening.strip())), "")
        if not probe or (opening.strip() and not (leading_token and opening.strip().startswith(leading_token))):
            raise _alters_answer(added, PROBES[1], "its end")
        stop = next(iter(self._added_tokens(tail)), None)
        if stop is None:
            raise ZooError(
                f"the chat template ends an answer by {tail!r}, in which no token is special",
                "a token that says the answer is over: a model without one never stops",
                "model.template=plain",
                WHERE,
            )
        text, stop_text, rest = tail.partition(stop)
        token_id = self.renderer.tokenizer.convert_tokens_to_ids(stop)
        return AnswerFrame(opening if opening.strip() else "", text + stop_text, rest, token_id)

    @property
    def exported_template(self) -> str:
        """The template for other programs, which render with it the prompts that are served here."""
        template = self.renderer.template
        if not self.frame.opening:
            return template
        opening = json.dumps(self.frame.opening, ensure_ascii=False)
        return f"{template.removesuffix(chr(10))}{{{{ {opening} if add_generation_prompt else '' }}}}"

    def sequences(self, segments: Sequence[Segment]) -> list[list[ChatTurn]]:
        """Render a conversation; text after the last answer is left out.

        Args:
            segments: The segments of a row.

        Returns:
            The turns, as one sequence, or as one for each answer where the template rewrites earlier turns.

        Raises:
            ZooError: The conversation begins with an answer, or the template alters answers.
        """
        messages: list[dict[str, str]] = []
        sequences: list[list[ChatTurn]] = [[]]
        rendered = ""
        for supervised, text in _merged(segments):
            messages.append(self._message(text, supervised))
            if supervised:
                rendered = self._append_answer(messages, rendered, sequences[-1])
                continue
            prompt = self._prompt(messages)
            if not prompt.startswith(rendered):
                self._check_rewriting(rendered, prompt)
                sequences.append([])
                rendered = ""
            sequences[-1].append(self._turn(prompt[len(rendered) :], False))
            rendered = prompt
        if not sequences[-1][-1].supervised:
            sequences[-1].pop()
        return [turns for turns in sequences if turns]

    def question(self, segments: Sequence[Segment]) -> list[Piece]:
        """Return what the model reads before it answers: the first turn of `sequences`, also where no answer is known.

        Raises:
            ZooError: The conversation begins with an answer.
        """
        supervised, first_segments = next(groupby(segments, key=lambda s: s.supervised), (True, ()))
        prompt = "" if supervised else "".join(s.text for s in first_segments)
        if not prompt:
            raise _no_question()
        return self.renderer.pieces(self._prompt([self._message(prompt, False)]))

    def _added_tokens(self, text: str) -> list[str]:
        """The added tokens in a text of the template, special or not, in order."""
        tokenizer = self.renderer.tokenizer
        added = tokenizer.added_tokens_decoder
        token_ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        return [added[token_id].content for token_id in token_ids if token_id in added]

    def _message(self, text: str, supervised: bool) -> dict[str, str]:
        """A message, with the control tokens hidden that its text spells out."""
        pattern = self._hidden_in_answers if supervised else self._hidden_in_questions
        return message("assistant" if supervised else "user", self.renderer.hide(text, pattern))

    @cached_property
    def _hidden_in_questions(self) -> re.Pattern[str]:
        return self.renderer.hiding(self.renderer.turn_tokens.values())

    @cached_property
    def _hidden_in_answers(self) -> re.Pattern[str]:
        """Special tokens and the stop token; other added tokens, such as <think>, are vocabulary of the model."""
        special = TextTokenizer(self.renderer.tokenizer).control
        return self.renderer.hiding([*special, self.frame.token])

    def _turn(self, rendered: str, supervised: bool) -> ChatTurn:
        return ChatTurn(self.renderer.pieces(rendered), supervised)

    def _prompt(self, messages: list[dict[str, str]]) -> str:
        """What is read before the next answer."""
        return self.renderer.render(messages, True) + self.frame.opening

    def _append_answer(self, messages: list[dict[str, str]], rendered: str, turns: list[ChatTurn]) -> str:
        """Append the last message, an answer, to `turns`; return what has been rendered up to its stop token."""
        if not turns:
            raise _no_question()
        target, frame = messages[-1]["content"], self.frame
        after = self.renderer.render(messages, False)
        if not after.startswith(rendered):
            raise _rewrites(rendered, after)
        answer = after[len(rendered) :]
        body = answer.removesuffix(frame.text + frame.rest)
        if len(body) == len(answer) or body.strip() != target.strip():
            raise _alters_answer(answer, target, repr(frame.text))
        turns.append(self._turn(body + frame.text, True))
        return rendered + body + frame.text

    def _check_rewriting(self, rendered: str, prompt: str) -> None:
        """Raise ZooError if the template loses a part of the earlier turns that it rewrites."""
        if not self._keeps_earlier_turns:
            raise _rewrites(rendered, prompt)

    @cached_property
    def _keeps_earlier_turns(self) -> bool:
        """Whether all messages of a conversation are in its rendering, in order."""
        rendered = self.renderer.render(probe_messages(3), True)
        places = [rendered.find(probe) for probe in PROBES]
        return -1 < places[0] < places[1] < places[2]


def _answer_of(before: str, after: str) -> str:
    """What an answered conversation adds to its generation prompt. Raises ZooError if it does not begin with that."""
    if after.startswith(before):
        return after[len(before) :]
    shared = next(i for i, character in enumerate(before) if after[i : i + 1] != character)
    raise ZooError(
        f"the chat template opens an answer by {_short(before[shared:])} and writes answers without it",
        "answers that begin as they are asked for: a model that must reason first cannot be tuned to answer at once",
        "model.template=plain",
        WHERE,
    )


def _merged(segments: Sequence[Segment]) -> list[tuple[bool, str]]:
    """Merge neighbouring segments that are both supervised or both not; drop empty ones."""
    groups = groupby((s for s in segments if s.text), key=lambda s: s.supervised)
    return [(supervised, "".join(s.text for s in group)) for supervised, group in groups]


def _short(text: str) -> str:
    """Return a text for an error message, its middle left out if it is long."""
    return repr(text if len(text) <= 80 else f"{text[:20]}…{text[-59:]}")


def _rewrites(before: str, after: str) -> ZooError:
    """Return the error for a template that loses a part of earlier turns."""
    return ZooError(
        f"the chat template rewrites earlier turns: {_short(before)} is no beginning of {_short(after)}",
        "a template that keeps them, so that what is read is what was learnt",
        "model.template=plain",
        WHERE,
    )


def _alters_answer(rendered: str, answer: str, end: str) -> ZooError:
    """Return the error for a template that writes something else than the answer and its end."""
    return ZooError(
        f"the chat template makes {_short(rendered)} of the answer {_short(answer)}",
        f"the answer and {end}",
        "model.template=plain",
        WHERE,
    )


def _no_question() -> ZooError:
    """Return the error for a conversation that begins with the answer."""
    return ZooError("the prompt begins with the answer", "something to read before it", "model.template=plain", WHERE)
