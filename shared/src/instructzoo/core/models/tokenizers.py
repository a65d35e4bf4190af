"""Tokenizers of models from scratch, trained on the run's own prompts; saved in the format of the tokenizers library.

`digits`: every digit is one token that encodes its place, counted from the right. "407" becomes 4 in the hundreds
place, 0 in the tens place, 7 in the units place; decoding drops the places and returns the same text. A small model
fails at counting positions long before it fails at carrying, and how numbers are tokenized decides what it can learn
(Goat, arXiv:2305.14201).

`bpe`: byte-level BPE with single digits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from instructzoo.core.errors import ZooError, suggest

PAD, EOS, UNKNOWN = "<pad>", "<eos>", "<unk>"
PLACES = 16
"""Places with a mark of their own, the units place excluded; a digit further left is a token without a mark."""

FIRST_MARK = 0xE000
"""Marks of places are characters of Unicode's private use area, which do not occur in texts."""

KINDS = ("digits", "bpe")


def train_tokenizer(kind: str, texts: Iterable[str], vocabulary: int) -> Any:
    """Train a tokenizer. The same texts give the same tokenizer.

    Args:
        kind: "digits" or "bpe".
        texts: Prompts and targets.
        vocabulary: Size of the vocabulary, as far as the texts fill it.

    Returns:
        A PreTrainedTokenizerFast with padding, end-of-sequence and unknown tokens.

    Raises:
        ZooError: The kind is unknown.
    """
    builders = {"digits": _digits, "bpe": _bpe}
    if kind not in builders:
        raise ZooError(f'no tokenizer "{kind}" for a scratch backbone', suggest(kind, KINDS), "set model.tokenizer")
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=builders[kind](texts, vocabulary),
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNKNOWN,
        clean_up_tokenization_spaces=False,
    )


def _digits(texts: Iterable[str], vocabulary: int) -> Any:
    """Train a unigram model of words, characters and digits with places; it prefers the longest known words."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers

    words: Counter[str] = Counter()
    characters = {chr(c) for c in range(32, 127)} | {"\n"}
    for text in texts:
        words.update(re.findall(r" ?[^\W\d]+| ?[^\w\s] ?", text))
        characters.update(text)
    digits_with_places = [
        f"{digit}{chr(FIRST_MARK + place)}" for place in range(1, PLACES + 1) for digit in "0123456789"
    ]
    single_characters = sorted(characters)
    num_words = max(0, vocabulary - 3 - len(digits_with_places) - len(single_characters))
    by_frequency = sorted(words.items(), key=lambda word_and_count: (-word_and_count[1], word_and_count[0]))
    frequent_words = [word for word, _ in by_frequency if len(word) > 1][:num_words]
    pieces = [(PAD, 0.0), (EOS, 0.0), (UNKNOWN, -100.0)]
    # Every piece has the same score, so the best segmentation is the one with the fewest pieces.
    pieces += [(piece, -1.0) for piece in [*digits_with_places, *single_characters, *frequent_words]]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    marks = f"{chr(FIRST_MARK)}-{chr(FIRST_MARK + PLACES)}"
    tokenizer.normalizer = normalizers.Sequence(
        [  # from the highest place down; a run of digits that ends at a mark lies beyond the known places
            normalizers.Replace(Regex(rf"(?<=[0-9])(?=[0-9]{{{place}}}(?![0-9{marks}]))"), chr(FIRST_MARK + place))
            for place in range(PLACES, 0, -1)
        ]
    )
    tokenizer.decoder = decoders.Sequence([decoders.Fuse(), decoders.Replace(Regex(f"[{marks}]"), "")])
    return tokenizer


def _bpe(texts: Iterable[str], vocabulary: int) -> Any:
    """Train byte-level BPE with single digits, which encodes any text without loss."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=max(vocabulary, 256 + 3),
        special_tokens=[PAD, EOS, UNKNOWN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def placed_digits(tokenizer: Any) -> dict[int, tuple[int, int]]:
    """Return {token id: (digit, place)} of a `digits` tokenizer, place 0 being the units; empty for any other."""
    digits_by_token = {}
    for piece, token in tokenizer.get_vocab().items():
        if len(piece) == 2 and piece[0].isdigit() and FIRST_MARK < ord(piece[1]) <= FIRST_MARK + PLACES:
            digits_by_token[token] = (int(piece[0]), ord(piece[1]) - FIRST_MARK)
        elif len(piece) == 1 and piece in "0123456789":
            digits_by_token[token] = (int(piece), 0)
    return digits_by_token if any(place for _, place in digits_by_token.values()) else {}
