"""Readers of files, deduplication, splits, the contamination check, data cards and exports."""

from instructzoo.core.data.builder import BuiltData, build, build_rows
from instructzoo.core.data.exports import export, read_export
from instructzoo.core.data.jsonl_output import repair_jsonl, write_jsonl
from instructzoo.core.data.readers import read, read_jsonl

__all__ = [
    "BuiltData",
    "build",
    "build_rows",
    "export",
    "read",
    "read_export",
    "read_jsonl",
    "repair_jsonl",
    "write_jsonl",
]
