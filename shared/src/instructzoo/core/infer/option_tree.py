"""What token sequences have in common: options as a tree of their tokens, and questions that begin alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

SHARED_FRACTION = 0.5
"""A question joins those before it if it begins with at least this fraction of what they have in common."""

Prompts = Sequence[Sequence[int]]
"""Token ids of each prompt."""

Targets = Sequence[Sequence[Sequence[int]]]
"""For each prompt, the token ids of its options, each with its end token."""


@dataclass(frozen=True)
class OptionTree:
    """The options of a question as a tree of their tokens. Node 0 is the end of the prompt; all lists are by node.

    Attributes:
        tokens: The token of the node; node 0 has none of its own.
        parents: The node before it.
        depths: Tokens of the option up to the node, itself included; 0 for node 0.
        paths: For each option, (node, token that follows it) of all its tokens, the end token included.
    """

    tokens: list[int] = field(default_factory=lambda: [0])
    parents: list[int] = field(default_factory=lambda: [0])
    depths: list[int] = field(default_factory=lambda: [0])
    paths: list[list[tuple[int, int]]] = field(default_factory=list)

    @classmethod
    def of(cls, targets: Sequence[Sequence[int]]) -> OptionTree:
        """The tree of options, each given by its token ids with the end token."""
        tree, children = cls(), dict[tuple[int, int], int]()
        for target in targets:
            node, path = 0, []
            for token in target:
                path.append((node, token))
                if token == target[-1] and len(path) == len(target):
                    break  # the end token is only predicted
                if (node, token) not in children:
                    children[node, token] = len(tree.tokens)
                    tree.tokens.append(token)
                    tree.parents.append(node)
                    tree.depths.append(tree.depths[node] + 1)
                node = children[node, token]
            tree.paths.append(path)
        return tree

    def sees(self) -> Tensor:
        """Which node sees which: itself and the nodes before it in its option, [t, t] for t nodes besides node 0."""
        seen = torch.eye(len(self.tokens), dtype=torch.bool)
        for node, parent in enumerate(self.parents[1:], 1):
            seen[node] |= seen[parent]  # parents come first
        return seen[1:, 1:]


def runs_of_questions(prompts: Prompts, targets: Targets) -> Iterator[list[int]]:
    """Rows with equal options and a common beginning, in the order of their prompts' tokens."""
    order = sorted(range(len(prompts)), key=lambda row: (targets[row], prompts[row], row))
    run: list[int] = []
    common = 0
    for row in order:
        if run:
            shared = _common_length(prompts[run[-1]], prompts[row])
            if targets[row] != targets[run[0]] or shared < SHARED_FRACTION * common:
                yield run
                run = []
            else:
                common = min(common, shared)
        common = common if run else len(prompts[row])
        run.append(row)
    if run:
        yield run


def common_prefix(prompts: Prompts) -> Sequence[int]:
    """What all prompts begin with; at least one token of each is left, after which the options are read."""
    first, last = min(map(list, prompts)), max(map(list, prompts))
    return first[: min(_common_length(first, last), min(map(len, prompts)) - 1)]


def _common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two prompts begin with alike."""
    shortest = min(len(one), len(other))
    return next((i for i in range(shortest) if one[i] != other[i]), shortest)
