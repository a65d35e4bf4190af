"""Objectives: rows into a batch, a batch into a summed loss and a count. The loop divides once, at the very end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.text import IGNORE_INDEX, Encoded
from instructzoo.core.tune.chunked_cross_entropy import chunked_cross_entropy

Batch = dict[str, Tensor]


class Objective(Protocol):
    def collate(self, rows: Sequence[Any]) -> Batch: ...

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
        """The summed loss and the number of targets it sums over, both scalars."""
        ...


class Causal:
    """Next-token loss on supervised positions. Logits are computed only there.

    Rows are padded on the right and the attention is causal, so no real token sees padding and no mask is needed.
    Packed, they stand in one sequence without padding: positions that start over tell transformers where each begins,
    provided that no mask and no cache is given.
    """

    def __init__(self, pad: int, supervised_logits: bool = True, packing: bool = False, chunked: bool = False) -> None:
        self.pad, self.supervised_logits, self.packing, self.chunked = pad, supervised_logits, packing, chunked

    def collate(self, rows: Sequence[Encoded]) -> Batch:
        if self.packing:
            packed = {
                "ids": [token for r in rows for token in r.ids],
                # Nothing before a document predicts its first token.
                "labels": [label for r in rows for label in (IGNORE_INDEX, *r.labels[1:])],
                "positions": [position for r in rows for position in range(len(r.ids))],
            }
            return {name: torch.tensor([values]) for name, values in packed.items()}  # [1, s] each
        ids = _pad([r.ids for r in rows], self.pad)  # [b, s]
        labels = _pad([r.labels for r in rows], IGNORE_INDEX)  # [b, s]
        return {"ids": ids, "labels": labels}

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
        labels = batch["labels"][:, 1:]  # [b, s-1]
        targets, n = labels[labels != IGNORE_INDEX], torch.tensor(int((labels != IGNORE_INDEX).sum()))
        head = adapters.unwrap_peft(model).get_output_embeddings()
        if self.chunked and self.supervised_logits and type(head) is nn.Linear:  # and no adapter on it
            hidden = self.hidden(model, batch, labels != IGNORE_INDEX)  # [n, d]
            return chunked_cross_entropy(hidden, head.weight, head.bias, targets), n
        logits = self.logits(model, batch, labels != IGNORE_INDEX)  # [n, v]
        return cross_entropy(logits.float(), targets, reduction="sum"), n

    def logits(self, model: Any, batch: Batch, keep: Tensor) -> Tensor:
        """Logits [n, v] of the positions before those in `keep` [b, s-1]."""
        if not self.supervised_logits:
            # A tuned prompt stands before the ids: the last s logits are theirs.
            ids, positions = batch["ids"], batch.get("positions")
            every = model(input_ids=ids, position_ids=positions, use_cache=False).logits
            return every[:, -ids.shape[1] : -1][keep]
        return adapters.unwrap_peft(model).get_output_embeddings()(self.hidden(model, batch, keep))

    def hidden(self, model: Any, batch: Batch, keep: Tensor) -> Tensor:
        """What the output layer reads at those positions, [n, d]."""
        decoder = adapters.unwrap_peft(model).get_decoder()
        found = decoder(input_ids=batch["ids"], position_ids=batch.get("positions"), use_cache=False)
        return found.last_hidden_state[:, :-1][keep]  # of [b, s, d]


class Seq2Seq:
    """Teacher-forced loss on the decoder's tokens."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def collate(self, rows: Sequence[Encoded]) -> Batch:
        ids = _pad([r.ids for r in rows], self.pad)  # [b, s]
        mask = _pad([[1] * len(r.ids) for r in rows], 0)
        return {"ids": ids, "mask": mask, "labels": _pad([r.labels for r in rows], IGNORE_INDEX)}

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
        labels = batch["labels"]  # [b, t]
        opening = adapters.unwrap_peft(model).prepare_decoder_input_ids_from_labels(labels=labels)
        logits = model(
            input_ids=batch["ids"], attention_mask=batch["mask"], decoder_input_ids=opening, use_cache=False
        ).logits  # [b, t, v]
        keep = labels != IGNORE_INDEX
        return cross_entropy(logits[keep].float(), labels[keep], reduction="sum"), keep.sum()


class LossModule(nn.Module):
    """Model and objective as one module whose forward is the loss: what wrappers for many devices expect."""

    def __init__(self, model: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return self.objective.loss(self.model, batch)


def choose(kind: str, model: Any, tokenizer: Any, train: Train = Train()) -> Objective:  # noqa: B008 - frozen
    """The objective of a text backbone. Raises ZooError for packing where documents would not be independent.

    For causal models it is checked that skipping logits changes none of them, and that packing changes none. The loss
    is chunked except under LOMO, which passes backward twice and wants no gradient before.
    """
    pad = tokenizer.pad_token_id
    if kind == "seq2seq":
        if train.packing:
            raise ZooError("train.packing with an encoder-decoder", "a causal backbone", "set train.packing=false")
        return Seq2Seq(pad)
    skips = not adapters.uses_virtual_tokens(model) and _alike(Causal(pad), Causal(pad, False), model, len(tokenizer))
    chosen = Causal(pad, skips, train.packing, chunked=train.optimizer not in ("lomo", "adalomo"))
    if train.packing and not _alike(chosen, Causal(pad, skips), model, len(tokenizer)):
        found = "documents in a pack see each other (packed logits differ from separate ones)"
        raise ZooError(found, "attention within each document", "set train.packing=false")
    return chosen


@torch.no_grad()
def _alike(one: Causal, other: Causal, model: Any, vocabulary: int) -> bool:
    """Whether both give the same logits for the same documents.

    Some families scale or cap their logits after the output layer; some kernels, masks and caches let packed documents
    leak into each other.
    """
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    draw = torch.Generator().manual_seed(0)
    documents = [torch.randint(vocabulary, (length,), generator=draw).tolist() for length in (7, 11, 5)]
    rows = [Encoded(ids, [IGNORE_INDEX, *ids[1:]]) for ids in documents]
    found = []
    for objective in (one, other):
        batch = {name: value.to(device) for name, value in objective.collate(rows).items()}
        found.append(objective.logits(model, batch, batch["labels"][:, 1:] != IGNORE_INDEX).float())
    model.train(was_training)
    rounding = 1e-3 if next(model.parameters()).dtype == torch.float32 else 3e-2
    return float((found[0] - found[1]).abs().max()) < rounding * float(found[1].abs().max())


def _pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """[b, s]: rows padded on the right."""
    width = max(len(r) for r in rows)
    return torch.tensor([[*r, *[value] * (width - len(r))] for r in rows], dtype=torch.long)
