"""Self-attention that the two pictures of a pair share, after Prompt-to-Prompt (arXiv:2208.01626).

A batch consists of pairs: pictures 2k and 2k + 1 are made from the caption before and the caption after. Where pair k
shares attention, the second picture uses the attention map of the first, softmax(q k^T), on its own values. The map
depends on q and k alone, so q and k of the second are computed from the first's hidden states; no map is stored, and
fused attention kernels remain usable. Self-attention is shared, as for the paper's data (arXiv:2211.09800, section
3.1), and not the cross-attention of Prompt-to-Prompt.
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
class AttentionSharing:
    """pairs: bool [n] on the CPU, which of the n pairs of a batch share attention at this step."""

    pairs: Tensor | None = None


@dataclass
class SharedSelfAttention:
    """An attention processor of diffusers for the first attention of a transformer block.

    Batches are [m * 2n, s, c]: m times the n pairs, such as m = 2 with and without text.
    """

    sharing: AttentionSharing = field(default_factory=AttentionSharing)

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: None = None, attention_mask: None = None
    ) -> Tensor:
        """Attend as diffusers' own processors do, with the queries and keys of the first picture in pairs that share.

        Args:
            attn: The attention module, which has the projections.
            hidden_states: The states of all pictures, [m * 2n, s, c].
            encoder_hidden_states: Ignored: this is self-attention.
            attention_mask: Ignored.

        Returns:
            The new states, [m * 2n, s, c].
        """
        from torch.nn.functional import scaled_dot_product_attention

        query_states = first_of_pairs(hidden_states, self.sharing.pairs)
        b, s, _ = hidden_states.shape
        query, key, value = (
            projection.view(b, s, attn.heads, -1).transpose(1, 2)  # [b, heads, s, c / heads]
            for projection in (attn.to_q(query_states), attn.to_k(query_states), attn.to_v(hidden_states))
        )
        mixed = scaled_dot_product_attention(query, key, value, scale=attn.scale)
        return attn.to_out[1](attn.to_out[0](mixed.transpose(1, 2).reshape(b, s, -1)))


def first_of_pairs(states: Tensor, pairs: Tensor | None) -> Tensor:
    """States [m * 2n, s, c] in which the second picture of every sharing pair has those of the first.

    Args:
        states: Hidden states of m times n pairs; the pictures of a pair are neighbours.
        pairs: Which of the n pairs share, bool [n]; None: none does.

    Returns:
        A tensor of the same shape; `states` itself where no pair shares.
    """
    if pairs is None or not bool(pairs.any()):
        return states
    shared_states = states.clone().view(-1, len(pairs), 2, *states.shape[1:])  # [m, n, 2, s, c]
    shared_states[:, pairs, 1] = shared_states[:, pairs, 0]
    return shared_states.view(states.shape)


@contextmanager
def shared_attention(unet: Any) -> Iterator[AttentionSharing]:
    """Within the block, the self-attention of a UNet2DConditionModel follows the yielded `AttentionSharing`.

    Raises:
        ZooError: The model has no self-attention in transformer blocks.
    """
    original = dict(unet.attn_processors)
    sharing = AttentionSharing()
    processors = {
        name: SharedSelfAttention(sharing) if ".attn1." in f".{name}" else processor
        for name, processor in original.items()
    }
    only_cross = unet.config.only_cross_attention
    if (
        only_cross is True
        or (only_cross and any(only_cross))
        or not any(isinstance(p, SharedSelfAttention) for p in processors.values())
    ):
        raise ZooError("a UNet without self-attention", "transformer blocks, as Stable Diffusion has them")
    unet.set_attn_processor(processors)
    try:
        yield sharing
    finally:
        unet.set_attn_processor(original)
