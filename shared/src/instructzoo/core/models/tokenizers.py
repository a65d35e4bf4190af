"""Tokenizers of scratch backbones, trained on the run's own prompts; saved in the plain tokenizers format.

`digits`: every digit is one token that knows its place, counted from the right. A small model fails at counting
positions long before it fails at carrying, and how numbers are cut decides what is learnt (Goat, arXiv:2305.14201).
"407" is read as 4 in the hundreds, 0 in the tens, 7 in the units. Decoding drops the places: text in, same text out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from instructzoo.core.errors import ZooError, suggest

PAD, EOS, UNKNOWN = "<pad>", "<eos>", "<unk>"
PLACES = 16
"""Places that get a mark of their own, units excluded; a digit further left is one token without a mark."""

FIRST_MARK = 0xE000
"""Marks are characters of Unicode's private use area: no text holds them by accident."""

KINDS = ("digits", "bpe")


def make(kind: str, texts: Iterable[str], vocabulary: int) -> Any:
    """A PreTrainedTokenizerFast trained on `texts` (prompts and targets). The same texts give the same tokenizer."""
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
    """Unigram over words, characters and placed digits; longest known word wins."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers

    words: Counter[str] = Counter()
    characters = {chr(c) for c in range(32, 127)} | {"\n"}
    for text in texts:
        words.update(re.findall(r" ?[^\W\d]+| ?[^\w\s] ?", text))
        characters.update(text)
    placed = [f"{digit}{chr(FIRST_MARK + place)}" for place in range(1, PLACES + 1) for digit in "0123456789"]
    singles = sorted(characters)
    room = max(0, vocabulary - 3 - len(placed) - len(singles))
    common = [w for w, _ in sorted(words.items(), key=lambda pair: (-pair[1], pair[0])) if len(w) > 1][:room]
    pieces = [(PAD, 0.0), (EOS, 0.0), (UNKNOWN, -100.0)]
    # One point per piece: the segmentation with the fewest pieces is the best one.
    pieces += [(piece, -1.0) for piece in [*placed, *singles, *common]]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    marks = f"{chr(FIRST_MARK)}-{chr(FIRST_MARK + PLACES)}"
    tokenizer.normalizer = normalizers.Sequence(
        [  # from the left; a run that ends in a mark is what lies beyond the places
            normalizers.Replace(Regex(rf"(?<=[0-9])(?=[0-9]{{{place}}}(?![0-9{marks}]))"), chr(FIRST_MARK + place))
            for place in range(PLACES, 0, -1)
        ]
    )
    tokenizer.decoder = decoders.Sequence([decoders.Fuse(), decoders.Replace(Regex(f"[{marks}]"), "")])
    return tokenizer


def _bpe(texts: Iterable[str], vocabulary: int) -> Any:
    """Byte-level BPE with single digits: any text is encoded without loss."""
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
    """{token id: (digit, place)} of a `digits` tokenizer; empty for any other."""
    found = {}
    for piece, number in tokenizer.get_vocab().items():
        if len(piece) == 2 and piece[0].isdigit() and FIRST_MARK < ord(piece[1]) <= FIRST_MARK + PLACES:
            found[number] = (int(piece[0]), ord(piece[1]) - FIRST_MARK)
        elif len(piece) == 1 and piece in "0123456789":
            found[number] = (int(piece), 0)
    return found if any(place for _, place in found.values()) else {}
