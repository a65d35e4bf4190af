"""The key-value cache of the decoding loop: buffers with spare columns, from which rows leave and which others join.

Shapes: b rows, h key heads, s columns (tokens, left padding included), d channels per head.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

SPARE_COLUMNS = 32
"""Columns added when a buffer is full. transformers' own DynamicLayer copies the whole cache for every token."""


class PreallocatedLayer(DynamicLayer):
    """Keys and values of one layer, [b, h, s, d]; `keys` and `values` are views of buffers with spare columns.

    All columns are kept, also under a sliding window: the mask hides what lies outside it.
    """

    keys: Tensor
    values: Tensor
    is_initialized: bool
    _buffers: tuple[Tensor, Tensor]  # keys and values with their spare columns, [b, h, s + spare, d]

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append columns; the signature is transformers'.

        Args:
            key_states: Keys of the q new columns, [b, h, q, d].
            value_states: Their values, [b, h, q, d].
            *args: Ignored.
            **kwargs: Ignored.

        Returns:
            Keys and values of all columns, [b, h, s + q, d].
        """
        if not self.is_initialized:
            self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True
            self._allocate(key_states, value_states)
            return self.keys, self.values
        start, end = self.keys.shape[-2], self.keys.shape[-2] + key_states.shape[-2]
        if end > self._buffers[0].shape[-2]:
            self._allocate(self.keys, self.values, end - start + SPARE_COLUMNS)
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = states
        self._set_length(end)
        return self.keys, self.values

    def regroup(self, rows: Tensor, first_column: int, joining: PreallocatedLayer | None) -> None:
        """Drop rows and leading columns, and append the rows of another layer, aligned right.

        Args:
            rows: Indices of the rows that are kept, [b'].
            first_column: The first column that is kept.
            joining: The layer whose rows are appended; it has no more columns than are kept. None appends none.
        """
        keys, values = self.keys[rows, :, first_column:], self.values[rows, :, first_column:]
        if joining:
            keys, values = _concat_rows(keys, joining.keys), _concat_rows(values, joining.values)
        self._allocate(keys, values)

    def _allocate(self, keys: Tensor, values: Tensor, spare: int = SPARE_COLUMNS) -> None:
        """Copy keys and values into new buffers with `spare` more columns."""
        length = keys.shape[-2]
        self._buffers = (_with_spare_columns(keys, spare), _with_spare_columns(values, spare))
        self._set_length(length)

    def _set_length(self, length: int) -> None:
        """Let `keys` and `values` be the first `length` columns of the buffers."""
        self.keys, self.values = self._buffers[0][:, :, :length], self._buffers[1][:, :, :length]


def new_cache(model: Any) -> Cache | None:
    """An empty cache for a model.

    Args:
        model: A causal language model of transformers.

    Returns:
        The cache, or None if the model stores more than keys and values (a recurrent state, for example).
    """
    layers = DynamicCache(config=model.config).layers
    if not all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
        return None
    return Cache(layers=[PreallocatedLayer() for _ in layers])


def regroup(cache: Cache, rows: Tensor, first_column: int, joining: Cache | None = None) -> None:
    """Drop rows and leading columns of all layers, and append the rows of another cache.

    Args:
        cache: The cache that is changed in place.
        rows: Indices of the rows that are kept, [b'].
        first_column: The first column that is kept.
        joining: A cache whose rows are appended; it has no more columns than `cache` keeps.
    """
    for i, layer in enumerate(cache.layers):
        layer.regroup(rows, first_column, joining.layers[i] if joining else None)


def _with_spare_columns(states: Tensor, spare: int) -> Tensor:
    """A copy of `states` [b, h, s, d] as the beginning of [b, h, s + spare, d]; the rest is uninitialised."""
    rows, heads, columns, channels = states.shape
    buffer = states.new_empty(rows, heads, columns + spare, channels)
    buffer[:, :, :columns] = states
    return buffer


def _concat_rows(old: Tensor, new: Tensor) -> Tensor:
    """[b + k, h, s, d] of [b, h, s, d] and [k, h, w, d], w <= s. New rows are padded on the left.

    The padding is zeros: the mask hides it, but attention still multiplies by it.
    """
    return torch.cat([old, pad(new, (0, 0, old.shape[-2] - new.shape[-2], 0))])
