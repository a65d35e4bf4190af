"""Self-attention that two pictures of a pair share, after Prompt-to-Prompt (arXiv:2208.01626).

A batch holds pairs: pictures 2k and 2k + 1 are made from the caption before and the caption after. Where pair k shares,
the second picture attends where the first one does: softmax(q k^T) of the first, applied to the second's own values.
As that map is a function of q and k alone, q and k of the second are made from the first's hidden states; no map is
held, and the fast kernels stay in use. Shared is self-attention, as in the data of the paper (arXiv:2211.09800,
section 3.1), and not the cross-attention of Prompt-to-Prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from instructzoo.core.errors import ZooError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Sharing:
    """pairs: bool [n] on the processor, which of the n pairs of a batch share at this step."""

    pairs: Tensor | None = None


@dataclass
class SelfAttention:
    """A processor of diffusers for the first attention of a transformer block. Batches are [m * 2n, s, c]: m times the
    n pairs, such as m = 2 with and without text."""

    sharing: Sharing = field(default_factory=Sharing)

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: None = None, attention_mask: None = None
    ) -> Tensor:
        from torch.nn.functional import scaled_dot_product_attention

        seen = first_of_pairs(hidden_states, self.sharing.pairs)
        b, s, _ = hidden_states.shape
        query, key, value = (
            part.view(b, s, attn.heads, -1).transpose(1, 2)  # [b, heads, s, c / heads]
            for part in (attn.to_q(seen), attn.to_k(seen), attn.to_v(hidden_states))
        )
        mixed = scaled_dot_product_attention(query, key, value, scale=attn.scale)
        return attn.to_out[1](attn.to_out[0](mixed.transpose(1, 2).reshape(b, s, -1)))


def first_of_pairs(states: Tensor, pairs: Tensor | None) -> Tensor:
    """States [m * 2n, s, c] in which the second of every pair that shares holds those of the first."""
    if pairs is None or not bool(pairs.any()):
        return states
    seen = states.clone().view(-1, len(pairs), 2, *states.shape[1:])  # [m, n, 2, s, c]
    seen[:, pairs, 1] = seen[:, pairs, 0]
    return seen.view(states.shape)


@contextmanager
def shared(unet: Any) -> Iterator[Sharing]:
    """Let the self-attention of a UNet2DConditionModel follow the `Sharing` that is yielded, until the block ends.

    Raises ZooError for a model without self-attention in transformer blocks.
    """
    before = dict(unet.attn_processors)
    sharing = Sharing()
    ours = {name: SelfAttention(sharing) if ".attn1." in f".{name}" else held for name, held in before.items()}
    crossed = unet.config.only_cross_attention
    if crossed is True or (crossed and any(crossed)) or not any(isinstance(p, SelfAttention) for p in ours.values()):
        raise ZooError("a UNet without self-attention", "transformer blocks, as Stable Diffusion has them")
    unet.set_attn_processor(ours)
    try:
        yield sharing
    finally:
        unet.set_attn_processor(before)
