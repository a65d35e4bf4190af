"""Files -> rows: every fault names file and line, and nothing is lost or half-written."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instructzoo.core.data import read, read_jsonl, repair_jsonl, write_jsonl
from instructzoo.core.data.readers import data_files
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Record, Row

ROWS = [
    {"instruction": "Name a river.", "input": "", "output": "The Elbe"},
    {"instruction": 'Say "so".', "input": "a\tb, c", "output": "naïve\nso"},
]


def rows(path: Path | str) -> list[Row]:
    return [Record.from_row(values, where).row() for where, values in read(path)]


def fault(path: Path | str) -> str:
    with pytest.raises(ZooError) as caught:
        rows(path)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet"])
def test_every_file_format_gives_the_same_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    if suffix == ".jsonl":
        write_jsonl(path, ROWS)
    elif suffix == ".json":
        path.write_text(json.dumps(ROWS, indent=1), encoding="utf-8")
    elif suffix == ".csv":
        quoted = [[cell.replace('"', '""') for cell in row.values()] for row in ROWS]
        lines = ["instruction,input,output", *('"' + '","'.join(cells) + '"' for cells in quoted)]
        path.write_text("\n".join(lines), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    assert [values for _, values in read(path)] == ROWS


def test_a_lone_quotation_mark_in_a_tsv_is_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text('instruction\toutput\n"Why\tso\nHow\tthus\n', encoding="utf-8")
    assert [row["instruction"] for row in rows(path)] == ['"Why', "How"]


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("a.jsonl", '{"instruction": "a"}\n\n{"instruction": "b"\n', 3, "malformed JSON"),
        ("a.jsonl", '{"instruction": "a"}\n[1]\n', 2, "found list [1]; expected an object"),
        ("a.jsonl", '{"instruction": "a", "output": NaN}\n', 1, "NaN is no JSON number"),
        ("a.jsonl", '{"instruction": "a"}\n{"instruction": 7}\n', 2, '"instruction" is int; expected text'),
        ("a.jsonl", '{"text": "a"}\n', 1, 'no "instruction" among: text'),
        ("a.json", '[\n{"instruction": "a"},\n{"instruction" "b"}\n]', 3, "malformed JSON"),
        ("a.json", '[\n{"instruction": "a"}\n{"instruction": "b"}]', 3, '"," or "]" after an object'),
        ("a.json", '[\n{"instruction": "a"},\n\n 5]', 4, "found int 5"),
        ("a.json", '[{"instruction": "a"}]\nrest', 2, 'nothing after the closing "]"'),
        ("a.json", '{"instruction": "a"}', 1, "name it .jsonl"),
        ("a.json", '[{"instruction": "a"},', 1, "malformed JSON"),
        ("a.csv", "instruction,output\na,b\nc,d,e\n", 3, "3 cells; expected 2"),
        ("a.csv", 'instruction,output\na,"b\nc,d\n', 3, "malformed CSV"),
        ("a.csv", "output,output\na,b\n", 1, 'column "output" stands twice'),
        (
            "a.csv",
            "instruction;output\na;b\n",
            1,
            "semicolons between its words; expected a comma between columns",
        ),
        ("a.tsv", "instruction,output\na,b\n", 1, "with commas between its words; expected a tab between columns"),
    ],
)
def test_malformed_data_is_reported_with_file_and_line(
    tmp_path: Path, name: str, text: str, line: int, words: str
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    message = fault(path)
    assert message.startswith(f"{path}:{line}: ")
    assert words in message


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv"])
def test_invalid_utf8_is_reported_with_file_line_and_byte(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b'{"instruction": "a"}\n{"instruction": "caf\xe9"}\n')
    assert fault(path).startswith(f"{path}:2: byte 0xe9 is not UTF-8")


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.jsonl", "\n\n"), ("a.json", " "), ("a.json", "[]"), ("a.csv", "instruction\n"), ("a.tsv", "")],
)
def test_an_empty_file_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert "holds no row" in fault(tmp_path / name)


def test_a_damaged_or_empty_parquet_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 this is none")
    assert "not readable as Parquet" in fault(path)
    pq.write_table(pa.table({"instruction": pa.array([], pa.string())}), path)
    assert "holds no row" in fault(path)


def test_a_misspelt_missing_or_unsupported_path_is_told_apart(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", ROWS)
    assert 'did you mean "train.jsonl"?' in fault(tmp_path / "trian.jsonl")
    assert "no such file" in fault(tmp_path / "nowhere" / "a.jsonl")
    assert "found a folder; expected a file" in fault(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    assert "of no known format" in fault(tmp_path / "notes.txt")


def test_a_folder_without_data_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="no data file in this folder"):
        data_files(tmp_path)
    write_jsonl(tmp_path / "b" / "one.jsonl", ROWS)
    write_jsonl(tmp_path / "a.jsonl", ROWS)
    assert [path.name for path in data_files(tmp_path)] == ["a.jsonl", "one.jsonl"]


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    for name, text in (
        ("a.jsonl", '{"instruction": "a"}'),
        ("a.csv", "instruction\na"),
        ("a.json", '[{"instruction": "a"}]'),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        assert [row["instruction"] for row in rows(tmp_path / name)] == ["a"]


def test_standard_input_is_streamed_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        lines = 0

        def __iter__(self) -> Endless:
            return self

        def __next__(self) -> bytes:
            self.lines += 1
            return b'{"instruction": "%d"}\n' % self.lines

    source = Endless()
    monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": source}))
    stream = read_jsonl("-")
    assert next(stream) == ("standard input:1", {"instruction": "1"})
    assert next(stream)[0] == "standard input:2"
    assert source.lines == 2


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, ROWS)
    before = path.read_bytes()

    def broken() -> object:
        yield ROWS[0]
        raise RuntimeError("source broke")

    with pytest.raises(RuntimeError, match="source broke"):
        write_jsonl(path, broken())  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["rows.jsonl"]
    assert write_jsonl(path, (row for row in ROWS)) == 2


def test_a_half_written_last_line_is_removed_before_appending(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    assert repair_jsonl(path) == 0
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n{"a": ')
    assert repair_jsonl(path) == 2
    with path.open("a") as file:
        file.write('{"a": 3}\n')
    assert [values["a"] for _, values in read_jsonl(path)] == [1, 2, 3]


def test_checks_of_json_take_time_in_proportion_to_its_size(tmp_path: Path) -> None:
    started = time.perf_counter()
    many_keys = json.dumps({"instruction": "a"} | {f"k{i}": i for i in range(30_000)})
    (tmp_path / "keys.jsonl").write_text(f'{many_keys[:-1]}, "k29999": 0}}\n')
    with pytest.raises(ZooError, match='"k29999" stands twice'):
        list(read(tmp_path / "keys.jsonl"))
    rows = [{"instruction": "a" * 4_000_000}, *({"instruction": "\N{GRINNING FACE}"} for _ in range(3000))]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    assert len(list(read(tmp_path / "rows.json"))) == 3001
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"instruction": "a", "output": "b", "output": "c"}', 'the key "output" stands twice'),
        ('{"instruction": "a", "gold": {"x": 1, "x": 1}}', 'the key "x" stands twice'),
        ('{"instruction": "a", "score": 1e999}', "1e999 is too large a number"),
        ('{"instruction": "a", "score": -Infinity}', "-Infinity is no JSON number"),
        ('{"instruction": "a\\ud83d", "output": "b"}', "half a character, U+D83D"),
        ('{"instruction": "a", "\\udc00": ["b"]}', "half a character, U+DC00"),
        ('{"instruction": "a", "n": ' + "9" * 5000 + "}", "malformed JSON"),
        ("[" * 5000, "JSON"),
    ],
)
def test_json_that_programs_read_differently_is_refused(tmp_path: Path, row: str, words: str) -> None:
    for name, text in (
        ("a.jsonl", f'{{"instruction": "a"}}\n{row}\n'),
        ("a.json", f'[{{"instruction": "a"}},\n{row}]'),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        message = fault(tmp_path / name)
        assert message.startswith(f"{tmp_path / name}:2: ") and words in message


def test_an_escaped_pair_of_surrogates_is_one_character(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"instruction": "a \\ud83d\\ude00"}', encoding="utf-8")
    assert [row["instruction"] for row in rows(tmp_path / "a.jsonl")] == ["a 😀"]


@pytest.mark.parametrize("path", ["~nobody-of-this-name/rows.jsonl", "x" * 300 + ".jsonl"])
def test_a_path_that_cannot_exist_is_an_error(path: str) -> None:
    with pytest.raises(ZooError, match=r"no path|no such file"):
        list(read(path))
