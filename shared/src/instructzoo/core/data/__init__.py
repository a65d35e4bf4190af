"""Corpora -> rows: readers, deduplication, splits, contamination, cards."""

from instructzoo.core.data.builder import Built, build, build_rows
from instructzoo.core.data.exports import export, read_export
from instructzoo.core.data.readers import mend_jsonl, read, read_jsonl, write_jsonl

__all__ = [
    "Built",
    "build",
    "build_rows",
    "export",
    "mend_jsonl",
    "read",
    "read_export",
    "read_jsonl",
    "write_jsonl",
]
