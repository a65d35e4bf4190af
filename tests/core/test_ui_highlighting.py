"""Highlighted text: every character once and in order, nested marks, everything escaped, no hidden or reversed text."""

from __future__ import annotations

import random
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from instructzoo.core.answers.text_files import invalid_text_reason
from instructzoo.core.data.sentence_split import sentences
from instructzoo.core.ui.highlighting import HUES, Span, escape_text, highlight, label_hues

COLOURS = label_hues(["a", "b", "c"])


class Tree(HTMLParser):
    """Checks that every tag closes the last opened one, and collects the text outside of labels by its marks."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[tuple[str, int]] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "span" not in self.open:
            self.text += [(c, self.open.count("mark")) for c in data]


def test_crossing_spans_keep_every_character_and_give_nested_marks() -> None:
    draw = random.Random(0)
    for _ in range(300):
        text = "".join(draw.choice('ab <&">é😀') for _ in range(12))
        offsets = [sorted(draw.sample(range(13), 2)) for _ in range(draw.randint(0, 5))]
        spans = [Span(start, end, draw.choice("abc")) for start, end in offsets]
        tree = Tree(highlight(text, spans, COLOURS))
        depth = [sum(s.start <= at < s.end for s in spans) for at in range(len(text))]
        assert tree.text == list(zip(text, depth, strict=True)), (text, spans)


def test_every_span_has_exactly_one_label() -> None:
    html = highlight("abcdef", [Span(0, 4, "a"), Span(2, 6, "b"), Span(3, 4, "c")], COLOURS)
    assert re.findall(r'<bdi class="zoo-label"[^>]*>(.)</bdi>', html) == ["c", "a", "b"]


def test_a_span_outside_of_the_text_is_clipped_or_left_out() -> None:
    assert "<mark" not in highlight("abc", [Span(-1, -1, "a"), Span(3, 9, "a"), Span(2, 2, "a")], COLOURS)
    assert Tree(highlight("abc", [Span(2, 99, "a")], COLOURS)).text == [("a", 0), ("b", 0), ("c", 1)]


def test_html_in_a_text_or_label_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    html = highlight(bad, [Span(0, 8, bad, '"><script>')], {bad: 1})
    assert "<script" not in html


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\ufeff", "\ud800"])
def test_control_characters_are_replaced_one_for_one(sign: str) -> None:
    html = escape_text(f"a{sign}b")
    assert sign not in html and len(unescape(html)) == 3
    html.encode()


def test_more_labels_than_colours_share_the_colours() -> None:
    hues = label_hues([str(i) for i in range(25)])
    assert len(hues) == 25 and set(hues.values()) == set(HUES)


def test_an_empty_too_long_or_malformed_text_is_refused() -> None:
    assert not invalid_text_reason("great food", 10)
    assert invalid_text_reason("", 10) and invalid_text_reason(" .!? 😀", 10)
    assert "at most 50,000 characters here, this one has 50,001" in invalid_text_reason("a" * 50_001, 50_000)
    assert "U+D800" in invalid_text_reason("great \ud800", 10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Good. Bad!  Why? So", ["Good.", "Bad!", "Why?", "So"]),
        ("Dr. Low came at 5 p.m. The soup (J. Roe's) cost 3.50. Nice",
         ["Dr. Low came at 5 p.m. The soup (J. Roe's) cost 3.50.", "Nice"]),
        ("great food. slow service", ["great food.", "slow service"]),
        ("Great food, 5 min. walk", ["Great food, 5 min. walk"]),
        ("The food was great . the staff slow ... really", ["The food was great .", "the staff slow ... really"]),
        ("One\r\ntwo\n\n three", ["One", "two", "three"]),
        ('He said "No." Then "Yes."', ['He said "No."', 'Then "Yes."']),
        ("很好。很差！", ["很好。", "很差！"]),
        (" \n ", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_only_between_sentences(text: str, expected: list[str]) -> None:
    located = list(sentences(text))
    assert [sentence for _, sentence in located] == expected
    assert all(text[start:].startswith(sentence) for start, sentence in located)
