"""The key-value cache of the decoding loop: room to the right, rows that come and go.

Shapes: b rows, h key heads, s columns (tokens, left padding included), d channels per head.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

ROOM = 32
"""Columns added when a buffer is full. transformers' own DynamicLayer copies the whole cache for every token."""


class RoomyLayer(DynamicLayer):
    """Keys and values of one layer, [b, h, s, d]; `keys` and `values` are views of buffers with room for more columns.

    All columns are kept, also under a sliding window: the mask hides what lies outside it.
    """

    keys: Tensor
    values: Tensor
    is_initialized: bool
    _buffers: tuple[Tensor, Tensor]  # keys and values with their room, [b, h, s + room, d]

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append columns; the signature is transformers'."""
        if not self.is_initialized:
            self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True
            self._hold(key_states, value_states)
            return self.keys, self.values
        start, end = self.keys.shape[-2], self.keys.shape[-2] + key_states.shape[-2]
        if end > self._buffers[0].shape[-2]:
            self._hold(self.keys, self.values, end - start + ROOM)
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = states
        self._show(end)
        return self.keys, self.values

    def regroup(self, keep: Tensor, drop: int, joining: RoomyLayer | None) -> None:
        """Only the rows `keep` [b'] and the columns from `drop` on, then the rows of `joining`, ends aligned."""
        keys, values = self.keys[keep, :, drop:], self.values[keep, :, drop:]
        if joining:
            keys, values = _aligned(keys, joining.keys), _aligned(values, joining.values)
        self._hold(keys, values)

    def _hold(self, keys: Tensor, values: Tensor, room: int = ROOM) -> None:
        """Take copies, with room to the right."""
        end = keys.shape[-2]
        self._buffers = (_roomy(keys, room), _roomy(values, room))
        self._show(end)

    def _show(self, end: int) -> None:
        """The first `end` columns are what there is."""
        self.keys, self.values = self._buffers[0][:, :, :end], self._buffers[1][:, :, :end]


def fresh(model: Any) -> Cache | None:
    """An empty cache for this model; None where it remembers more than keys and values (a recurrent state, say)."""
    layers = DynamicCache(config=model.config).layers
    if not all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
        return None
    return Cache(layers=[RoomyLayer() for _ in layers])


def regroup(cache: Cache, keep: Tensor, drop: int, joining: Cache | None = None) -> None:
    """Cut all layers to rows `keep` and columns from `drop` on; append the rows of `joining`, no wider than that."""
    for i, layer in enumerate(cache.layers):
        layer.regroup(keep, drop, joining.layers[i] if joining else None)


def _roomy(states: Tensor, room: int) -> Tensor:
    """A copy of `states` [b, h, s, d] as the beginning of [b, h, s + room, d]; the rest is not written yet."""
    rows, heads, columns, channels = states.shape
    buffer = states.new_empty(rows, heads, columns + room, channels)
    buffer[:, :, :columns] = states
    return buffer


def _aligned(old: Tensor, new: Tensor) -> Tensor:
    """[b + k, h, s, d] of [b, h, s, d] and [k, h, w, d], w <= s. Zeros before the new rows: masked, yet multiplied."""
    return torch.cat([old, pad(new, (0, 0, old.shape[-2] - new.shape[-2], 0))])
