"""Readers of line-based corpora: which part a file's name speaks of."""

from __future__ import annotations

import pytest

from instructzoo.core.data.line_files import part_of

NAMES = {
    "train": "reviews.csv train.txt medical_devices.jsonl device_reviews.csv testimonials.csv golden-dragon.csv "
    "latest.tsv validated-train.jsonl gold/train.conll wnut17train.conll values.csv",
    "validation": "dev.txt rest_dev.tsv devel.tsv valid.CoNLL04.json dev/7.ann emerging.dev.conll devset.csv val2.jsonl"
    " eng.testa",
    "test": "test.txt Restaurants_Test_Gold.xml TEST_FILE_FULL.TXT testset.csv my-test2.jsonl eng.testb",
}


@pytest.mark.parametrize(("name", "part"), [(name, part) for part, names in NAMES.items() for name in names.split()])
def test_the_split_is_recognised_from_the_file_name(name: str, part: str) -> None:
    assert part_of(name) == part
