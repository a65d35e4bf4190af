"""Rows to token ids: encoding with labels, chat templates, batches by token budget."""

from instructzoo.core.text.batching import Batches
from instructzoo.core.text.encoded_rows import EncodedRows, encode_rows
from instructzoo.core.text.encoder import IGNORE_INDEX, Encoded, Encoder, Lengths, lengths

__all__ = ["IGNORE_INDEX", "Batches", "Encoded", "EncodedRows", "Encoder", "Lengths", "encode_rows", "lengths"]
