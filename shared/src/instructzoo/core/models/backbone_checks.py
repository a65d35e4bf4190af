"""What a pretrained model can be used for: the ids and positions it knows, whether it is causal, how it decodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Recipe

POSITION_TABLE = re.compile(r"wpe|position_embeddings?|embed_positions|positions_embed|pos_encoding")
"""Names of tables with one row for each position. Models with rotary or relative positions have none of them."""

PROBE_TOKENS = 9
"""Tokens of the two sequences that show whether a model is causal."""


class PositionLimit(NamedTuple):
    """How many tokens a model has positions for, and the key of its config.json that says so."""

    tokens: int
    key: str


def embedding_rows(model: Any) -> int:
    """Return the number of token ids that a model knows, the rows of its embedding table."""
    return int(adapters.unwrap_peft(model).get_input_embeddings().weight.shape[0])


def position_limit(model: Any, encoder: bool = False) -> PositionLimit | None:
    """Find how many tokens a model has positions for.

    Args:
        model: A transformers model, with or without an adapter; the virtual tokens of an adapter take positions too.
        encoder: Of an encoder-decoder, whether the limit of the encoder is meant, not that of the decoder.

    Returns:
        The limit; None if the positions are rotary, relative or computed for any length.
    """
    plain = adapters.unwrap_peft(model)
    tables = [
        _rows_of_positions(module)
        for name, module in [*plain.named_modules(), *plain.named_buffers()]
        if POSITION_TABLE.fullmatch(name.rpartition(".")[2]) and (".encoder." in f".{name}") == encoder
    ]
    config = plain.config.to_dict()
    if plain.config.model_type == "mpt":  # whose biases of attention are a table of its own
        tables.append(config["max_seq_len"])
    limits = [rows for rows in tables if rows]
    if not limits:
        return None
    rows = min(limits)
    part = "encoder" if encoder else "decoder"
    keys = [key for key, value in config.items() if type(value) is int and re.search("pos|seq_len", key)]
    # LED has a key for the encoder and another one for the decoder; RoBERTa has more rows than positions.
    key = min(keys, key=lambda name: (abs(config[name] - rows), part not in name), default="max_position_embeddings")
    return PositionLimit(rows - adapters.num_virtual_tokens(model), key)


def _rows_of_positions(table: Any) -> int | None:
    """The positions of a table, without its rows in front that stand for padding; None for another module."""
    from torch import Tensor, nn

    if isinstance(table, Tensor):
        return table.shape[0]
    if not isinstance(table, nn.Embedding):
        return None
    computed = "Sinusoidal" in type(table).__name__  # whose padding_idx has no meaning for positions
    padding_rows = 0 if table.padding_idx is None or computed else table.padding_idx + 1
    return table.num_embeddings - int(getattr(table, "offset", padding_rows))


def check_positions(model: Any, kind: str, recipe: Recipe) -> None:
    """Check that a model has positions for the longest rows and answers that a recipe allows.

    Args:
        model: Backbone with the tuning method applied.
        kind: "causal" or "seq2seq".
        recipe: `model.max_tokens` and `decode.max_new_tokens` are read.

    Raises:
        ZooError: It has not; the message names the limit, and the key of config.json where it stands.
    """
    reads, writes = position_limit(model, encoder=kind == "seq2seq"), position_limit(model)
    for limit, setting, value in (
        (reads, "model.max_tokens", recipe.model.max_tokens),
        (writes, "decode.max_new_tokens", recipe.decode.max_new_tokens),
    ):
        if limit and value > limit.tokens:
            found = f"{setting} = {value}, and {recipe.model.backbone} has {limit.tokens} positions ({limit.key})"
            raise ZooError(found, f"at most {limit.tokens}", f"set {setting}={limit.tokens}")


def check_targets(model: Any, targets: Iterable[Sequence[int]], max_tokens: int) -> None:
    """Check that the decoder of an encoder-decoder has positions for the targets of its rows.

    Args:
        model: The encoder-decoder; in LED the decoder has fewer positions than the encoder.
        targets: Token ids of the targets; they are only read if the decoder has fewer than `max_tokens` positions.
        max_tokens: The recipe's `model.max_tokens`.

    Raises:
        ZooError: A target is longer; the message names the limit.
    """
    limit = position_limit(model)
    if limit is None or limit.tokens >= max_tokens:
        return
    longest = max(map(len, targets), default=0)
    if longest > limit.tokens:
        found = f"a row whose target takes {longest} tokens, and the decoder has {limit.tokens} positions ({limit.key})"
        raise ZooError(found, f"at most {limit.tokens}", "drop the row, or choose another model.backbone")


def longest_prompt(model: Any, kind: str, max_new_tokens: int) -> int | None:
    """Return how many tokens a prompt may have, so that the answer has positions too; None if there is no limit."""
    limit = position_limit(model, encoder=kind == "seq2seq")
    if limit is None:
        return None
    return limit.tokens if kind == "seq2seq" else limit.tokens + 1 - max_new_tokens  # the last one is not read


def check_prompts(model: Any, kind: str, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> None:
    """Check that a model knows every token of some prompts and has positions for them and their answers.

    Args:
        model: A model, with or without an adapter.
        kind: "causal" or "seq2seq".
        prompts: Token ids of each prompt.
        max_new_tokens: The longest answer.

    Raises:
        ZooError: It has not; the message names the limit.
    """
    check_ids(model, prompts)
    writes = position_limit(model)
    if writes and max_new_tokens > writes.tokens:
        found = f"decode.max_new_tokens = {max_new_tokens}, and the model has {writes.tokens} positions ({writes.key})"
        raise ZooError(found, f"at most {writes.tokens}", "lower decode.max_new_tokens")
    longest, allowed = max(map(len, prompts), default=0), longest_prompt(model, kind, max_new_tokens)
    if allowed is not None and longest > allowed:
        raise ZooError(
            f"a prompt of {longest} tokens before an answer of up to {max_new_tokens}",
            f"a prompt of at most {allowed}: the model has no further positions",
            "shorten it, or lower decode.max_new_tokens",
        )


def check_ids(model: Any, sequences: Iterable[Sequence[int]], tokenizer: Any = None) -> None:
    """Check that a model has a row of its embedding table for every token id.

    Args:
        model: A model, with or without an adapter.
        sequences: Token ids; negative numbers are labels that are ignored.
        tokenizer: The tokenizer that gave the ids; it names the token in the error, and if all its ids lie in the
            table, nothing is searched.

    Raises:
        ZooError: An id lies beyond the table.
    """
    rows = embedding_rows(model)
    if tokenizer is not None and max(tokenizer.get_vocab().values()) < rows:
        return
    highest = max((max(ids) for ids in sequences if len(ids)), default=0)
    if highest >= rows:
        token = f" ({tokenizer.convert_ids_to_tokens(highest)})" if tokenizer is not None else ""
        raise ZooError(
            f"the tokenizer gives id {highest}{token}, and the model's embedding table has {rows} rows",
            f"ids below {rows}",
            "take the tokenizer that the model was trained with, or save the model after "
            "model.resize_token_embeddings(len(tokenizer))",
        )


def check_causal(model: Any, source: object) -> None:
    """Check that what a model says after a token does not depend on the tokens that follow.

    Encoders such as BERT load as causal models all the same: they would read the answer that they are to learn.

    Args:
        model: A model that is to be trained and decoded as a causal one.
        source: Its folder or hub id, for the error.

    Raises:
        ZooError: A later token changes an earlier logit.
    """
    import torch

    ids = torch.randint(embedding_rows(model), (PROBE_TOKENS,), generator=torch.Generator().manual_seed(0))
    pair = ids.repeat(2, 1)  # [2, s]
    pair[1, -1] = (ids[-1] + 1) % embedding_rows(model)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        logits = model(input_ids=pair.to(next(model.parameters()).device), use_cache=False).logits.float()[:, :-1]
    model.train(was_training)
    exact = next(model.parameters()).dtype == torch.float32 and not adapters.is_quantised(model)
    tolerance = (1e-4 if exact else 3e-2) * float(logits.abs().max())  # experts may round by how many tokens they get
    if float((logits[0] - logits[1]).abs().max()) > tolerance:
        raise ZooError(
            f"{source} ({type(model).__name__}) reads the tokens that follow: it is an encoder, not a language model",
            "a causal model such as smollm2-135m, or an encoder-decoder such as flan-t5-small",
            "an encoder that was trained as a decoder says is_decoder: true in its config.json",
            "model.backbone",
        )


def set_decoder_start(model: Any, source: object) -> None:
    """Let an encoder-decoder begin every answer with one token, in training and in decoding alike.

    The token is that of its config.json or of its generation_config.json, or else the beginning of sequence, as in
    transformers' own generation.

    Args:
        model: An encoder-decoder, changed in place: both configurations name the token afterwards.
        source: Its folder or hub id, for the error.

    Raises:
        ZooError: The model names no such token.
    """
    names = ("decoder_start_token_id", "bos_token_id")
    candidates = [getattr(config, name, None) for name in names for config in (model.config, model.generation_config)]
    start = next((token_id for token_id in candidates if token_id is not None), None)
    if start is None:
        raise ZooError(
            f"the config.json of {source} has no decoder_start_token_id",
            "the id of the token that every answer begins with",
            "write it there: T5 and its kin take pad_token_id, BART and its kin eos_token_id",
            "model.backbone",
        )
    model.config.decoder_start_token_id = model.generation_config.decoder_start_token_id = start


def reset_generation(model: Any) -> None:
    """Replace a backbone's own settings of decoding: those of the recipe alone decide, in training and in serving.

    Backbones bring forced and suppressed tokens, penalties and lengths, which an answer must not be bent by, and some
    bring settings that transformers refuses to save again.

    Args:
        model: A transformers model; its generation_config keeps the ids of its special tokens only.
    """
    from transformers import GenerationConfig

    if not model.can_generate():
        return
    names = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
    kept = {name: getattr(model.generation_config, name, None) for name in names}
    model.generation_config = GenerationConfig(**kept)
