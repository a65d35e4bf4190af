"""Grammar-constrained decoding: tokens that the grammar does not allow are masked; stop tokens are allowed only where
an answer may end.

If the likeliest token is allowed, greedy decoding looks at no other (token_spellings.py finds the allowed ones).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import LogitsProcessor

from instructzoo.core.infer.grammar import Constraint, State, advance
from instructzoo.core.infer.token_spellings import TokenSpellings

SPACE = 0x20


@dataclass
class ConstraintState:
    """The state of one answer in its grammar. at_start: no token of the answer is written yet."""

    constraint: Constraint
    state: State
    at_start: bool = True


@dataclass
class AnswerConstraints:
    """The grammars of the rows of one call, and the state of every row that is being decoded.

    A grammar is built when its row begins and forgotten when it ends, so there are never more of them than rows in a
    batch. At a dead end no token spells what the grammar requires, which happens with a vocabulary that lacks bytes;
    the answer ends there.

    spellings: the bytes of the tokens. constraint_of: the grammar of a row by its index; None if the row is not
    constrained. stop_ids: tokens that end an answer; `generate_ids` sets them. dead_ends: the number of answers that
    came to one.
    """

    spellings: TokenSpellings
    constraint_of: Callable[[int], Constraint | None]
    stop_ids: Collection[int] = ()
    dead_ends: int = 0
    _states: dict[int, ConstraintState | None] = field(default_factory=dict)

    def mask_logits(self, rows: Sequence[int | None], logits: Tensor, greedy: bool) -> Tensor:
        """Mask the tokens that the grammars do not allow.

        Args:
            rows: The index of each row of the batch; None for a row that has ended.
            logits: [b, v].
            greedy: Whether only the likeliest token counts: a row whose likeliest token is allowed is not changed.

        Returns:
            Logits [b, v] with -inf for tokens that may not follow; `logits` itself if nothing changes.
        """
        likeliest = logits.argmax(-1).tolist() if greedy else []
        masked = logits
        for i, row in enumerate(rows):
            state = None if row is None else self._state(row)
            if state is None or (greedy and self._permits(state, likeliest[i])):
                continue
            if masked is logits:
                masked = logits.clone()
            token_ids = torch.tensor(self._allowed_tokens(state), device=logits.device)
            masked[i] = float("-inf")
            masked[i, token_ids] = logits[i, token_ids]
        return masked

    def advance(self, row: int, token_id: int) -> None:
        """Record that a token was written to a row.

        Args:
            row: The index of the row.
            token_id: The token; not one of the stop tokens.

        Raises:
            ValueError: The grammar does not allow the token.
        """
        row_state = self._state(row)
        if row_state is None:
            return
        next_state = self._next_state(row_state, token_id)
        if next_state is None:
            raise ValueError(f"token {token_id} was written to row {row} against its grammar")
        row_state.state, row_state.at_start = next_state, False

    def finish(self, row: int) -> None:
        """Record that a row has ended, and forget its grammar."""
        self._states.pop(row, None)

    def _state(self, row: int) -> ConstraintState | None:
        if row not in self._states:
            constraint = self.constraint_of(row)
            self._states[row] = None if constraint is None else ConstraintState(constraint, self._start(constraint))
        return self._states[row]

    def _start(self, constraint: Constraint) -> State:
        start = constraint.start()
        if self.spellings.strips_leading_space and set(transitions := constraint.transitions(start)) == {SPACE}:
            return transitions[SPACE]  # the space that every answer starts with is stripped from the first token
        return start

    def _permits(self, row_state: ConstraintState, token_id: int) -> bool:
        if token_id in self.stop_ids:
            return row_state.constraint.accepts(row_state.state)
        return self._next_state(row_state, token_id) is not None

    def _next_state(self, row_state: ConstraintState, token_id: int) -> State | None:
        spelling = self.spellings.spelling(token_id, row_state.at_start)
        if spelling is None or not (spelling or row_state.at_start):
            return None
        return advance(row_state.constraint, row_state.state, spelling)

    def _allowed_tokens(self, row_state: ConstraintState) -> list[int]:
        """Ids of the tokens that may follow, with the stop tokens where the answer may end, or must."""
        constraint, state = row_state.constraint, row_state.state
        token_ids = self.spellings.allowed_tokens(constraint, state, row_state.at_start)
        token_ids = [token_id for token_id in token_ids if token_id not in self.stop_ids]
        may_end = constraint.accepts(state)
        self.dead_ends += not (token_ids or may_end)
        return token_ids if token_ids and not may_end else [*token_ids, *self.stop_ids]


class ConstraintLogitsProcessor(LogitsProcessor):
    """Applies `AnswerConstraints` inside transformers' own `generate`.

    Args:
        constraints: Grammars of the answers and the states of the rows.
        rows: Index of each row of the batch among the rows of `constraints`.
        greedy: Whether the likeliest token is taken; passed to `mask_logits`.
    """

    def __init__(self, constraints: AnswerConstraints, rows: Sequence[int], greedy: bool) -> None:
        self.constraints, self.greedy = constraints, greedy
        self.rows: list[int | None] = list(rows)
        self.started = False

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Logits [b, v] for the token after `input_ids` [b, s]; the signature is transformers'."""
        new_tokens = input_ids[:, -1].tolist() if self.started else []
        self.started = True
        for i, token_id in enumerate(new_tokens):
            if (row := self.rows[i]) is not None:
                if token_id in self.constraints.stop_ids:
                    self.constraints.finish(row)
                    self.rows[i] = None
                else:
                    self.constraints.advance(row, token_id)
        return self.constraints.mask_logits(self.rows, scores, self.greedy)

    def finish(self) -> None:
        """Record that `generate` has returned, so that all rows have ended."""
        for row in self.rows:
            if row is not None:
                self.constraints.finish(row)
