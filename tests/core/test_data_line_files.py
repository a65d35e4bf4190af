"""Readers of line-based corpora recognise the split of a file from its name."""

from __future__ import annotations

import pytest

from instructzoo.core.data.line_files import split_from_name

NAMES = {
    "train": "reviews.csv train.txt medical_devices.jsonl device_reviews.csv testimonials.csv golden-dragon.csv "
    "latest.tsv validated-train.jsonl gold/train.conll wnut17train.conll values.csv",
    "validation": "dev.txt rest_dev.tsv devel.tsv valid.CoNLL04.json dev/7.ann emerging.dev.conll devset.csv val2.jsonl"
    " eng.testa",
    "test": "test.txt Restaurants_Test_Gold.xml TEST_FILE_FULL.TXT testset.csv my-test2.jsonl eng.testb",
}


@pytest.mark.parametrize(("name", "split"), [(name, split) for split, names in NAMES.items() for name in names.split()])
def test_the_split_is_recognised_from_the_file_name(name: str, split: str) -> None:
    assert split_from_name(name) == split
