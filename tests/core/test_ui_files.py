"""Files that are uploaded to a demo: texts by line, errors by line, constant memory; cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import json
import tracemalloc
from pathlib import Path

import pytest

from instructzoo.core.answers import text_files
from instructzoo.core.answers.text_files import read_texts, spreadsheet_cell
from instructzoo.core.errors import ZooError
from instructzoo.core.ui import files
from instructzoo.core.ui.files import ResultFolders


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, max_characters: int = 100) -> list[tuple[int, str, str]]:
    return [(line.number, line.text, line.error) for line in read_texts(path, max_characters)]


def test_every_text_of_a_plain_file_keeps_its_line_number(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "\ufeffGood food\r\n\n  slow  \n...\n")
    assert read(path) == [(1, "Good food", ""), (3, "slow", ""), (4, "", "There is no word in it.")]


def test_a_faulty_line_leaves_its_neighbours_intact(tmp_path: Path) -> None:
    content = b'{"text": "ok", "id": 7}\nno\n{"id": 1}\n\xff\n[1]\n{"review": "fine"}\n' + b"[" * 100_000
    content += b'\n{"text": "' + b"a" * 101 + b'"}\n{"text": "\\ud800 a"}\n{"text": 5}\n'
    lines = list(read_texts(write(tmp_path, "a.jsonl", content), 100))
    assert [line.number for line in lines] == list(range(1, 11))
    assert [(line.number, line.text) for line in lines if not line.error] == [(1, "ok"), (6, "fine")]
    assert lines[0].row == {"id": 7}
    assert lines[1].error == "Malformed JSON (Expecting value at column 1)."
    for number, message in ((3, 'No "text"'), (4, "0xff"), (7, "Malformed"), (8, "has 101"),
                           (9, "U+D800"), (10, 'No "text"')):  # fmt: skip
        assert message in lines[number - 1].error, lines[number - 1]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_is_read_by_its_text_column_with_line_numbers(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        rows = csv.writer(file, delimiter=mark)
        rows.writerows(
            [["id", "Review"], ["1", f"two\nlines, {mark} quoted"], ["2", "fine"], ["3", "a", "b"], ["4", ""]]
        )
    lines = list(read_texts(path, 100))
    assert [(line.number, line.text) for line in lines][:2] == [(2, f"two\nlines, {mark} quoted"), (4, "fine")]
    assert lines[1].row == {"id": "2"}
    assert lines[2].number == 5 and lines[2].error == "3 cells, and 2 columns."
    assert lines[3].error == "There is no word in it."


def test_an_unclosed_quote_or_invalid_byte_does_not_hide_later_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", b'text\n"' + b"x\n" * 100_000 + b"good\n\xff\nbad\n")
    lines = list(read_texts(path, 100))
    assert "field larger than field limit" in lines[0].error and lines[0].number == 2
    assert [line.text for line in lines if line.text][-2:] == ["good", "bad"]
    assert [line.error for line in lines if line.error][1:] == ["Byte 0xff is not UTF-8."]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", "x", 'ends in .txt, .csv, .tsv, .jsonl'),
        ("a.txt", " \n\n", "holds no text"),
        ("a.txt", "", "holds no text"),
        ("a.csv", "id,stars\n1,2\n", "the columns id, stars"),
        ("a.csv", "", "the columns nothing"),
        ("a.jsonl", "\n", "holds no text"),
    ],
)  # fmt: skip
def test_a_file_without_texts_is_a_clear_error(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(ZooError) as error:
        read(write(tmp_path, name, content))
    assert message in str(error.value)


@pytest.mark.parametrize("suffix", text_files.SUFFIXES)
def test_memory_stays_bounded_for_large_files(tmp_path: Path, suffix: str) -> None:
    line = json.dumps({"text": "good food"}) if suffix == ".jsonl" else "good food"
    head = "text\n" if suffix in (".csv", ".tsv") else ""
    path = write(tmp_path, f"a{suffix}", f"{head}{f'{line}{chr(10)}' * 20_000}{'x' * 12_000_000}\n{line}\n")
    tracemalloc.start()
    try:
        n_lines, n_errors, fraction_read = 0, 0, 0.0
        for read_line in read_texts(path, 100):
            n_lines += 1
            n_errors += bool(read_line.error)
            fraction_read = read_line.fraction_read
        assert tracemalloc.get_traced_memory()[1] < 6 * text_files.MAX_LINE
    finally:
        tracemalloc.stop()
    assert (n_lines, n_errors, fraction_read) == (20_002, 1, 1.0)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_cells_that_a_spreadsheet_would_run_are_quoted(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"
    assert spreadsheet_cell("good") == "good" and spreadsheet_cell("") == "" and spreadsheet_cell("a=1") == "a=1"


def test_only_the_latest_result_folders_are_kept() -> None:
    result_folders = ResultFolders()
    folders = [result_folders.new_folder() for _ in range(files.FOLDERS_KEPT + 3)]
    assert [folder.is_dir() for folder in folders] == [False] * 3 + [True] * files.FOLDERS_KEPT
    result_folders.folder.cleanup()
    assert not folders[-1].exists()
