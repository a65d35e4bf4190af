"""Many rows: what is beyond a limit lies in mapped files, and is the same as in memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import datasets
import numpy as np
import pyarrow as pa
import pytest
from kit import LLAMA, T5, kit, recipe, sums

from instructzoo.core import runs
from instructzoo.core.data import BuiltData, build_rows, builder, file_hashes, mapped_tables, tables
from instructzoo.core.record import Row
from instructzoo.core.text import EncodedRows, encode_rows, encoded_rows, lengths


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSTRUCTZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def built(rows: list[Row], folder: Path) -> BuiltData:
    settings = recipe(data={"sources": ["world"]})
    return build_rows({"train": tables.dataset(rows, chunk=100)}, settings, folder)


def long_rows(n: int) -> Iterator[Row]:
    """Rows of about 10 KB, drawn one by one."""
    for i in range(n):
        yield {"instruction": f"{i}", "input": f"{i:04}" * 2500, "output": "x"}


def test_rows_that_are_built_on_disk_are_the_rows_that_are_built_in_memory(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = sums(700)
    rows += rows[:50]
    rows += [{**row, "id": "", "item": "", "output": f"{row['output']}."} for row in rows[50:70]]
    in_memory = built(rows, tmp_path / "memory")
    monkeypatch.setattr(mapped_tables, "IN_MEMORY", 1)
    monkeypatch.setattr(mapped_tables, "MAX_BLOCK_ROWS", 64)
    on_disk = built(rows, tmp_path / "disk")
    assert on_disk.fingerprint == in_memory.fingerprint and on_disk.card == in_memory.card
    for split in ("train", "validation", "test"):
        assert on_disk.rows[split].to_list() == in_memory.rows[split].to_list()
    assert list(cache.iterdir()) == []  # no file is left


def test_rows_beyond_the_limit_are_not_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_tables, "IN_MEMORY", 1 << 20)
    before = pa.total_allocated_bytes()
    table = tables.table(long_rows(1500), chunk=50)
    kept = mapped_tables.filter_rows(table, np.arange(1500) % 3 > 0)
    assert table.nbytes > 14e6 and kept.num_rows == 1000
    assert pa.total_allocated_bytes() - before < 4e6


def test_rows_on_disk_have_no_file_that_a_killed_process_could_leave(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped_tables, "IN_MEMORY", 1 << 16)
    write, files = mapped_tables._write, []

    def writing(table: pa.Table, file: IO[bytes]) -> None:
        write(table, file)
        files.append(list(cache.iterdir()))

    monkeypatch.setattr(mapped_tables, "_write", writing)
    assert tables.table(long_rows(30), chunk=10).num_rows == 30
    assert files == [[], [], []]


def test_built_rows_are_memory_mapped(tmp_path: Path) -> None:
    data = built(list(long_rows(600)), tmp_path / "rows")
    before = pa.total_allocated_bytes()
    assert data.rows["train"].data.nbytes > 5e6 and pa.total_allocated_bytes() - before < 1e5
    again = mapped_tables.open_mapped(data.folder / "train.arrow")
    assert again.nbytes > 5e6 and pa.total_allocated_bytes() - before < 1e5


@pytest.mark.parametrize("backbone", [LLAMA, T5])
def test_rows_encoded_on_disk_are_the_rows_encoded_in_memory(
    backbone: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tables.dataset(sums(300))
    encoder = kit(recipe(backbone), sums(300)).encoder
    expected = encoder.encode_all(rows)
    for limit in (1000, 10):
        monkeypatch.setattr(encoded_rows, "IN_MEMORY", limit)
        encoded = encode_rows(encoder, rows, "code")
        assert list(encoded) == expected and encoded[-1] == expected[-1] and encoded[1:3] == expected[1:3]
        assert (cache / "encoded").exists() == (limit == 10)
        assert list(encoded.lengths.total) == lengths(expected).total
        assert list(encoded.lengths.supervised) == lengths(expected).supervised
        assert encoded.lengths.histograms() == lengths(expected).histograms()
        with pytest.raises(IndexError, match="row 300 of 300"):
            encoded[300]


def test_rows_are_encoded_anew_only_where_their_tokens_may_differ(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded_rows, "IN_MEMORY", 10)
    blocks: list[int] = []
    flat_blocks = encoded_rows._flat_blocks
    monkeypatch.setattr(encoded_rows, "_flat_blocks", lambda *args: blocks.append(1) or flat_blocks(*args))

    def encode(rows: list[Row], code: str = "code", tokenizer: str = "digits", max_tokens: int = 128) -> EncodedRows:
        settings = recipe(LLAMA, tokenizer, model={"max_tokens": max_tokens})
        return encode_rows(kit(settings, sums(40)).encoder, tables.dataset(rows), code)

    encode(sums(40)), encode(sums(40))
    assert len(blocks) == 1
    changed = sums(40)
    changed[7]["output"] += "1"
    assert encode(changed)[7] != encode(sums(40))[7]
    encode(sums(40), tokenizer="bpe"), encode(sums(40), code="other"), encode(sums(40), max_tokens=127)
    assert len(blocks) == 5
    with monkeypatch.context() as without_lock:
        without_lock.setattr(encoded_rows, "_lock", None)  # a complete cache may belong to somebody else
        assert len(encode(sums(40))) == 40 and len(blocks) == 5
    for path in cache.glob("encoded/*/labels"):
        path.write_bytes(path.read_bytes()[:-4])
    assert len(encode(sums(40))) == 40 and len(blocks) == 6


def test_a_large_file_is_hashed_again_only_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_hashes, "LARGE", 10)
    monkeypatch.setattr(file_hashes, "SETTLED", 0.0)
    read: list[Path] = []
    sha256 = runs.sha256
    monkeypatch.setattr(runs, "sha256", lambda path: read.append(path) or sha256(path))
    path = tmp_path / "rows.csv"
    path.write_text("x" * 20)
    first = file_hashes.sha256(path)
    assert file_hashes.sha256(path) == first == sha256(path) and len(read) == 1
    time.sleep(0.01)
    status = path.stat()
    path.write_text("y" * 20)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # the same size and time, as of a copied file
    assert file_hashes.sha256(path) == sha256(path) != first and len(read) == 2
    (tmp_path / "cache" / "hashes.json").write_text("{")
    assert file_hashes.sha256(path) == sha256(path) and len(read) == 3


@pytest.mark.parametrize("content", ["[]", '{"a": 3}', "{", "[" * 100_000])
def test_damaged_files_of_the_cache_are_made_anew(tmp_path: Path, cache: Path, content: str) -> None:
    data = built(sums(300), tmp_path / "rows")
    for path in (tmp_path / "rows" / "manifest.json", cache / "hashes.json", cache / "encoded" / "sizes.json"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert builder._read_built(data.folder, "") is None
    assert not encoded_rows._is_complete(cache / "encoded")
    assert file_hashes._kept(cache / "hashes.json") == {}


def test_a_cache_that_cannot_be_written_to_does_not_stop_a_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_hashes, "LARGE", 10)
    monkeypatch.setattr(file_hashes, "SETTLED", 0.0)
    path = tmp_path / "rows.csv"
    path.write_text("a file where the cache should be")
    time.sleep(0.01)
    monkeypatch.setenv("INSTRUCTZOO_CACHE", str(path / "cache"))
    assert file_hashes.sha256(path) == runs.sha256(path)


def test_the_hash_of_a_file_that_was_just_changed_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_hashes, "LARGE", 10)
    path = tmp_path / "rows.csv"
    path.write_text("x" * 20)
    file_hashes.sha256(path)
    assert not (tmp_path / "cache" / "hashes.json").exists()


def test_blocks_of_a_dataset_are_its_rows() -> None:
    rows = datasets.Dataset.from_list([{**row, "tags": [{"n": i}], "no": None} for i, row in enumerate(sums(25))])
    assert [row for block in encoded_rows.row_blocks(rows, 10) for row in block] == list(rows)
    assert [len(block) for block in encoded_rows.row_blocks(iter(sums(25)), 10)] == [10, 10, 5]
