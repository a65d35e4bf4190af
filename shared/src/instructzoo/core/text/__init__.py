"""Rows to token ids: encoding with labels, chat templates, texts that spell control tokens, batches by token budget."""

from instructzoo.core.text.batching import Batches
from instructzoo.core.text.encoded_rows import EncodedRows, encode_rows
from instructzoo.core.text.encoder import IGNORE_INDEX, Encoded, Encoder, Lengths, lengths
from instructzoo.core.text.text_tokenizer import TextTokenizer

__all__ = [
    "IGNORE_INDEX",
    "Batches",
    "Encoded",
    "EncodedRows",
    "Encoder",
    "Lengths",
    "TextTokenizer",
    "encode_rows",
    "lengths",
]
