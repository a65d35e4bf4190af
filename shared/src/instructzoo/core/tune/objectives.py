"""Objectives: rows to a batch, a batch to a summed loss and its number of targets; the loop divides the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.models.backbone_checks import embedding_rows
from instructzoo.core.recipe import Train
from instructzoo.core.text import IGNORE_INDEX, Encoded
from instructzoo.core.tune.chunked_cross_entropy import chunked_cross_entropy

Batch = dict[str, Tensor]


class Objective(Protocol):
    """What the loop needs to know of a task."""

    def collate(self, rows: Sequence[Any]) -> Batch:
        """Return the tensors of these encoded rows, by name."""
        ...

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
        """Compute the loss of a batch.

        Args:
            model: Backbone with the tuning method applied.
            batch: Tensors of `collate`, on the model's device.

        Returns:
            The summed loss and the number of targets that it sums over, both scalars.
        """
        ...


class Causal:
    """Next-token loss on supervised positions of a decoder. Logits are computed only there.

    Rows are padded on the right and the attention is causal, so that no real token sees padding and no mask is needed.
    Packed rows stand in one sequence without padding: position_ids that start over tell transformers where each
    document begins, provided that it gets neither a mask nor a cache.

    Args:
        pad_token_id: Id that fills input_ids.
        supervised_logits: Compute logits of supervised positions only, by calling decoder and output layer separately.
        packing: Collate the rows of a batch into one sequence.
        chunked: Compute the loss with `chunked_cross_entropy`.
    """

    def __init__(
        self, pad_token_id: int, supervised_logits: bool = True, packing: bool = False, chunked: bool = False
    ) -> None:
        self.pad_token_id, self.supervised_logits = pad_token_id, supervised_logits
        self.packing, self.chunked = packing, chunked

    def collate(self, rows: Sequence[Encoded]) -> Batch:
        """Return input_ids and labels, [b, s]; packed also position_ids, and all three [1, s].

        Example:
            >>> rows = [Encoded([5, 6, 7], [-100, 6, 7]), Encoded([5], [-100])]
            >>> Causal(pad_token_id=0).collate(rows)["input_ids"].tolist()
            [[5, 6, 7], [5, 0, 0]]
            >>> Causal(pad_token_id=0, packing=True).collate(rows)["position_ids"].tolist()
            [[0, 1, 2, 0]]
        """
        if self.packing:
            packed = {
                "input_ids": [token for r in rows for token in r.input_ids],
                # The first token of a document is never a target: the tokens before it belong to another document.
                "labels": [label for r in rows for label in (IGNORE_INDEX, *r.labels[1:])],
                "position_ids": [position for r in rows for position in range(len(r.input_ids))],
            }
            return {name: torch.tensor([values]) for name, values in packed.items()}
        input_ids = _pad([r.input_ids for r in rows], self.pad_token_id)
        labels = _pad([r.labels for r in rows], IGNORE_INDEX)
        return {"input_ids": input_ids, "labels": labels}

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
        """Compute the cross-entropy of a batch.

        Args:
            model: Causal backbone with the tuning method applied.
            batch: Tensors of `collate`, [b, s].

        Returns:
            The summed cross-entropy (nats) and the number of supervised tokens, both scalars.
        """
        labels = batch["labels"][:, 1:]  # [b, s-1]
        supervised = labels != IGNORE_INDEX
        targets, num_targets = labels[supervised], torch.tensor(int(supervised.sum()))
        output_layer = adapters.unwrap_peft(model).get_output_embeddings()
        if self.chunked and self.supervised_logits and type(output_layer) is nn.Linear:  # and no adapter on it
            hidden = self.hidden(model, batch, supervised)  # [n, d]
            return chunked_cross_entropy(hidden, output_layer.weight, output_layer.bias, targets), num_targets
        logits = self.logits(model, batch, supervised)  # [n, v]
        return cross_entropy(logits.float(), targets, reduction="sum"), num_targets

    def logits(self, model: Any, batch: Batch, supervised: Tensor) -> Tensor:
        """Compute the logits of supervised tokens.

        Args:
            model: Causal backbone with the tuning method applied.
            batch: Tensors of `collate`, [b, s].
            supervised: Mask of the n tokens to predict, without the first of each row, [b, s-1].

        Returns:
            The logits that predict these tokens, [n, v].
        """
        if not self.supervised_logits:
            input_ids = batch["input_ids"]
            logits = model(input_ids=input_ids, position_ids=batch.get("position_ids"), use_cache=False).logits
            # Virtual tokens of a tuned prompt come before input_ids, whose logits are the last s.
            return logits[:, -input_ids.shape[1] : -1][supervised]
        return adapters.unwrap_peft(model).get_output_embeddings()(self.hidden(model, batch, supervised))

    def hidden(self, model: Any, batch: Batch, supervised: Tensor) -> Tensor:
        """Compute what the output layer reads to predict supervised tokens.

        Args:
            model: Causal backbone with the tuning method applied.
            batch: Tensors of `collate`, [b, s].
            supervised: Mask of the n tokens to predict, without the first of each row, [b, s-1].

        Returns:
            Last hidden states before these tokens, [n, d].
        """
        decoder = adapters.unwrap_peft(model).get_decoder()
        output = decoder(input_ids=batch["input_ids"], position_ids=batch.get("position_ids"), use_cache=False)
        return output.last_hidden_state[:, :-1][supervised]  # of [b, s, d]


class Seq2Seq:
    """Teacher-forced loss on the tokens of the decoder of an encoder-decoder."""

    def __init__(self, pad_token_id: int) -> None:
        self.pad_token_id = pad_token_id

    def collate(self, rows: Sequence[Encoded]) -> Batch:
        """Return input_ids and attention_mask of the encoder, [b, s], and labels of the decoder, [b, t]."""
        input_ids = _pad([r.input_ids for r in rows], self.pad_token_id)
        attention_mask = _pad([[1] * len(r.input_ids) for r in rows], 0)
        labels = _pad([r.labels for r in rows], IGNORE_INDEX)
        return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
        """Compute the cross-entropy of a batch.

        Args:
            model: Encoder-decoder with the tuning method applied.
            batch: Tensors of `collate`: [b, s] of the encoder and [b, t] of the decoder.

        Returns:
            The summed cross-entropy (nats) and the number of target tokens, both scalars.
        """
        labels = batch["labels"]  # [b, t]
        start = adapters.unwrap_peft(model).config.decoder_start_token_id
        decoder_input_ids = shift_right(labels, start, self.pad_token_id)
        logits = model(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            decoder_input_ids=decoder_input_ids,
            use_cache=False,
        ).logits  # [b, t, v]
        supervised = labels != IGNORE_INDEX
        return cross_entropy(logits[supervised].float(), labels[supervised], reduction="sum"), supervised.sum()


def shift_right(labels: Tensor, start: int, pad_token_id: int) -> Tensor:
    """Return what a decoder reads to predict labels, [b, t]: the start token, and all labels but the last.

    Models' own functions for it differ: some families have none, and mBART's begins with another token than decoding.

    Args:
        labels: Labels, [b, t].
        start: Id of the token that every answer begins with.
        pad_token_id: Id that stands for labels that are ignored.
    """
    shifted = torch.cat([labels.new_full((len(labels), 1), start), labels[:, :-1]], 1)
    return shifted.masked_fill(shifted == IGNORE_INDEX, pad_token_id)


class LossModule(nn.Module):
    """Model and objective as one module whose forward pass is the loss, which DDP and FSDP can wrap."""

    def __init__(self, model: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed loss and its number of targets."""
        return self.objective.loss(self.model, batch)


def choose(kind: str, model: Any, tokenizer: Any, train: Train = Train()) -> Objective:  # noqa: B008 - frozen
    """Choose the objective of a text model.

    For a causal model two things are tried out on random documents: that computing only supervised logits changes none
    of them, and that packing changes none. The loss is chunked except under LOMO, which runs backward twice and must
    not have gradients computed in the forward pass.

    Args:
        kind: "causal" or "seq2seq".
        model: Backbone with the tuning method applied.
        tokenizer: Its padding token and vocabulary size are read.
        train: `packing` and `optimizer` are read.

    Raises:
        ZooError: Packing with an encoder-decoder, or with a model in which packed documents see each other.
    """
    pad_token_id = tokenizer.pad_token_id
    if kind == "seq2seq":
        if train.packing:
            raise ZooError("train.packing with an encoder-decoder", "a causal backbone", "set train.packing=false")
        return Seq2Seq(pad_token_id)
    all_logits, only_supervised = Causal(pad_token_id, supervised_logits=False), Causal(pad_token_id)
    vocab_size = min(len(tokenizer), embedding_rows(model))
    supervised_logits = not adapters.uses_virtual_tokens(model) and _same_logits(
        only_supervised, all_logits, model, vocab_size
    )
    chunked = train.optimizer not in ("lomo", "adalomo")
    objective = Causal(pad_token_id, supervised_logits, train.packing, chunked)
    padded = Causal(pad_token_id, supervised_logits)
    if train.packing and not _same_logits(objective, padded, model, vocab_size):
        problem = "documents in a pack see each other (packed logits differ from separate ones)"
        raise ZooError(problem, "attention within each document", "set train.packing=false")
    return objective


@torch.no_grad()
def _same_logits(objective: Causal, reference: Causal, model: Any, vocab_size: int) -> bool:
    """Whether both objectives compute the same logits for the same documents, up to rounding.

    Some model families scale or cap their logits after the output layer; some kernels, masks and caches let packed
    documents see each other.
    """
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    generator = torch.Generator().manual_seed(0)
    documents = [torch.randint(vocab_size, (length,), generator=generator).tolist() for length in (7, 11, 5)]
    rows = [Encoded(input_ids, [IGNORE_INDEX, *input_ids[1:]]) for input_ids in documents]
    logits = []
    for each in (objective, reference):
        batch = {name: value.to(device) for name, value in each.collate(rows).items()}
        logits.append(each.logits(model, batch, batch["labels"][:, 1:] != IGNORE_INDEX).float())
    model.train(was_training)
    tolerance = 1e-3 if next(model.parameters()).dtype == torch.float32 else 3e-2
    return float((logits[0] - logits[1]).abs().max()) < tolerance * float(logits[1].abs().max())


def _pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Pad rows on the right with a value: [b, s]."""
    width = max(len(r) for r in rows)
    return torch.tensor([[*r, *[value] * (width - len(r))] for r in rows], dtype=torch.long)
