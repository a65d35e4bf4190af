"""zoo predict over files of texts: formats, resumption to the same bytes, faults by line, constant memory."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instructzoo.core import ZooError, api, infer
from instructzoo.core import domain as domains
from instructzoo.core.answers import answer_file, model, output_files
from instructzoo.core.answers.inputs import Item
from instructzoo.core.answers.questions import Options
from instructzoo.core.commands import predict as predict_command
from instructzoo.core.terminal.progress import Counter
from instructzoo.core.testing import Scripted

TEXTS = ["The pizza was delicious but the waiter was rude.", "Great wine, slow service", "=The soup was cold."]
ROWS = [{"id": n, "stars": 4.5, "review": text} for n, text in enumerate(TEXTS, 7)]


@pytest.fixture(autouse=True)
def _one_model(monkeypatch: pytest.MonkeyPatch, opened: Any) -> None:
    """The bundled model is opened and hashed once."""
    monkeypatch.setattr(infer, "open_chosen", lambda domain, chosen: opened)
    monkeypatch.setattr(predict_command, "identity", lambda predictor: "the bundled model")


@pytest.fixture(scope="module")
def opened() -> Any:
    return infer.open_model(domains.get("absa"), "tiny")


def write_table(path: Path, mark: str = ",", rows: list[dict[str, Any]] = ROWS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=mark)
        writer.writeheader()
        writer.writerows(rows)
    return path


def predict(source: Path, output: Path, **options: Any) -> dict[str, Any]:
    return api.predict("absa", str(source), str(output), "tiny", quiet=True, **options)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def aspects(path: Path) -> list[tuple[str, str]]:
    return [(row["text"], row["aspect"]) for row in read_csv(path)]


def sources(folder: Path) -> Iterator[Path]:
    """The same texts in every format."""
    yield write_table(folder / "a.csv")
    yield write_table(folder / "semicolons.csv", ";")
    yield write_table(folder / "a.tsv", "\t")
    (folder / "a.txt").write_text("\n".join(TEXTS) + "\n")
    (folder / "a.json").write_text(json.dumps(ROWS))
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "a.parquet")
    yield from (folder / name for name in ("a.txt", "a.json", "a.jsonl", "a.parquet"))


def test_the_same_texts_in_every_format_get_the_same_answers(tmp_path: Path) -> None:
    answers = []
    for number, source in enumerate(sources(tmp_path)):
        output = tmp_path / f"{number}.csv"
        assert predict(source, output)["rows"] == 3
        answers.append(aspects(output))
        assert read_csv(output)[0]["id"] == ("" if source.suffix == ".txt" else "7")
    assert answers == [answers[0]] * 7
    assert ("The pizza was delicious but the waiter was rude.", "pizza") in answers[0]


def test_csv_jsonl_and_parquet_hold_the_same_answers_with_offsets(tmp_path: Path) -> None:
    source = write_table(tmp_path / "in.csv")
    for suffix in output_files.SUFFIXES:
        predict(source, tmp_path / f"out{suffix}", raw=True)
    table, parquet = read_csv(tmp_path / "out.csv"), pq.read_table(tmp_path / "out.parquet").to_pylist()
    as_text = [{name: "" if value is None else str(value) for name, value in row.items()} for row in parquet]
    quoted = [row | {"text": row["text"].removeprefix("'")} for row in table]
    assert quoted == as_text
    assert [row["text"] for row in table][-1] == "'=The soup was cold.", "a spreadsheet would run it as a formula"
    for row in parquet:
        assert row["aspect_start"] is None or row["text"][row["aspect_start"] : row["aspect_end"]] == row["aspect"]
    objects = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(o["id"], o["stars"], o["line"], o["text"]) for o in objects] == [
        (str(n), "4.5", n - 5, text) for n, text in enumerate(TEXTS, 7)
    ]
    found = [(o["text"], quad["aspect_at"]) for o in objects for quad in o["quads"]]
    assert found == [
        (r["text"], [r["aspect_start"], r["aspect_end"]]) for r in parquet if r["aspect_start"] is not None
    ]
    assert all("means" in text or text.strip() == "nothing" for o in objects for text in o["raw"])
    assert not list(tmp_path.glob("*.partial*"))


def test_the_column_of_texts_is_guessed_or_named(tmp_path: Path) -> None:
    rows = [{"note": text, "place": "Oslo", "day": "2024-01-02"} for text in TEXTS]
    source = write_table(tmp_path / "in.csv", rows=rows)
    predict(source, tmp_path / "guessed.csv")
    predict(source, tmp_path / "named.csv", text_column="Note")
    assert (tmp_path / "guessed.csv").read_bytes() == (tmp_path / "named.csv").read_bytes()
    with pytest.raises(ZooError, match=r'in.csv: no column "noet"; did you mean "note"'):
        predict(source, tmp_path / "other.csv", text_column="noet")
    write_table(source, rows=[row | {"answer": "Thank you very much"} for row in rows])
    with pytest.raises(ZooError, match=r"the columns note, place, day, answer; .* --text-column"):
        predict(source, tmp_path / "other.csv")
    with pytest.raises(ZooError, match=r'"out.doc"'):
        predict(source, tmp_path / "out.doc")
    with pytest.raises(ZooError, match=r'"in.pdf" is of no known format'):
        predict(Path(source.rename(tmp_path / "in.pdf")), tmp_path / "other.csv")


def test_a_json_list_of_texts_is_read_and_a_mixed_one_is_refused(tmp_path: Path) -> None:
    source, output = tmp_path / "in.json", tmp_path / "out.csv"
    source.write_text(json.dumps(TEXTS))
    assert predict(source, output)["rows"] == 3
    assert ("The pizza was delicious but the waiter was rude.", "pizza") in aspects(output)
    for content, message in ((["a", 5], "item 2 is no text"), ('["a"', "malformed JSON"), ([], "holds no row")):
        source.write_text(content if isinstance(content, str) else json.dumps(content))
        with pytest.raises(ZooError, match=message):
            predict(source, tmp_path / "other.csv")


def test_texts_on_standard_input_are_answered_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(json.dumps({"review": text, "id": n}) + "\n" for n, text in enumerate(TEXTS))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    api.predict("absa", "-", "-", "tiny", raw=True)
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(o["id"], o["text"]) for o in objects] == list(enumerate(TEXTS))
    assert objects[0]["quads"][0]["aspect_at"] == [4, 9]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("suffix", output_files.SUFFIXES)
def test_a_killed_call_is_continued_to_the_same_bytes(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "BLOCK_INPUTS", 2)
    rows = [{"id": n, "text": f"{TEXTS[n % 3]} Visit {n}."} for n in range(7)]
    source = write_table(tmp_path / "in.csv", rows=rows)
    complete, output = tmp_path / f"complete{suffix}", tmp_path / f"out{suffix}"
    predict(source, complete)
    record = output_files.OutputFile._record

    def killed_before_the_record(self: output_files.OutputFile) -> None:
        if self.done:
            with self.written.open("ab") as file:
                file.write(b"the beginning of a li")
            raise Killed
        record(self)

    def killed_after_the_record(self: output_files.OutputFile) -> None:
        record(self)
        if self.done:
            raise Killed

    for kill in [killed_before_the_record, killed_after_the_record] * 2:
        monkeypatch.setattr(output_files.OutputFile, "_record", kill)
        with pytest.raises(Killed):
            predict(source, output)
    monkeypatch.setattr(output_files.OutputFile, "_record", record)
    outcome = predict(source, output)
    assert (outcome["rows"], outcome["answered"]) == (7, 3)
    assert output.read_bytes() == complete.read_bytes()
    assert predict(source, output)["answered"] == 0
    assert output.read_bytes() == complete.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_process_killed_at_any_time_is_continued_to_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    source = write_table(tmp_path / "in.csv", rows=[{"text": f"{TEXTS[n % 3]} Visit {n}."} for n in range(700)])
    output, complete = tmp_path / f"out{suffix}", tmp_path / f"complete{suffix}"
    command = [sys.executable, "-m", "instructzoo.core.cli", "predict", "absa", str(source), "--model", "tiny", "-o"]
    subprocess.run([*command, str(complete)], check=True, capture_output=True)
    state, done = tmp_path / f"out{suffix}.from.json", 0
    for pause in (0.0, 0.05):
        process = subprocess.Popen([*command, str(output)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (state.is_file() and json.loads(state.read_text())["done"] > done):
            time.sleep(0.02)
        time.sleep(pause)
        process.kill()
        process.wait()
        done = json.loads(state.read_text())["done"]
        assert 0 < done < 700
    subprocess.run([*command, str(output)], check=True, capture_output=True)
    assert output.read_bytes() == complete.read_bytes()


def test_an_output_of_other_rows_options_or_hands_is_refused(tmp_path: Path) -> None:
    source, output = write_table(tmp_path / "in.csv"), tmp_path / "out.csv"
    predict(source, output)
    with pytest.raises(ZooError, match=r"begun with other options \(options\)"):
        predict(source, output, options={"task": "ae"})
    with pytest.raises(ZooError, match=r"begun with other options \(raw\)"):
        predict(source, output, raw=True)
    longer = write_table(tmp_path / "longer.csv", rows=[*ROWS, {"id": 10, "stars": 1, "review": "Cold soup."}])
    outcome = predict(longer, output)
    assert (outcome["rows"], outcome["answered"]) == (4, 1)
    with pytest.raises(ZooError, match="answers other rows"):
        predict(write_table(tmp_path / "in.csv", rows=ROWS[::-1]), output)
    output.write_bytes(output.read_bytes()[:-9])
    with pytest.raises(ZooError, match="zoo predict had written"):
        predict(longer, output)
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(ZooError, match="zoo predict did not write it"):
        predict(source, tmp_path / "mine.csv")


def test_a_malformed_line_is_one_line_with_its_place_and_the_answers_before_it_are_kept(tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.csv"
    lines = [json.dumps({"text": text}) for text in TEXTS]
    source.write_text("\n".join([*lines, '{"text": ', *lines]) + "\n")
    for _ in range(2):  # a rerun says the same
        with pytest.raises(ZooError, match=r"in.jsonl:4: Malformed JSON"):
            predict(source, output)
        assert {row["line"] for row in read_csv(output)} == {"1", "2", "3"}
    source.write_text("\n".join([*lines, '{"text": "Good soup."}', *lines]) + "\n")
    assert predict(source, output)["answered"] == 4
    write_table(tmp_path / "a.csv").open("a").write("8,2\n")
    with pytest.raises(ZooError, match=r"a.csv:5: 2 cells, and 3 columns"):
        predict(tmp_path / "a.csv", tmp_path / "other.csv")


def test_a_text_that_cannot_be_answered_is_a_line_with_its_error(tmp_path: Path) -> None:
    texts = ["Great wine, slow service", "x " * 30_000, "...", "word" * 3_000 + ".", TEXTS[0]]
    source = write_table(tmp_path / "in.csv", rows=[{"text": text} for text in texts])
    outcome = predict(source, tmp_path / "out.csv")
    assert (outcome["rows"], outcome["failed"]) == (5, 3)
    errors = {row["line"]: row["error"] for row in read_csv(tmp_path / "out.csv")}
    assert "at most 50,000 characters" in errors["3"]
    assert errors["4"] == "There is no word in it."
    assert "takes" in errors["5"] and "tokens" in errors["5"]
    assert errors["2"] == errors["6"] == ""


def test_rows_in_the_domains_own_format_get_typed_answers_in_a_table(tmp_path: Path) -> None:
    rows = [{"instruction": "", "input": text, "task": "ae", "mine": n} for n, text in enumerate(TEXTS)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    predict(tmp_path / "in.jsonl", tmp_path / "out.csv")
    assert {row["text"].removeprefix("'") for row in read_csv(tmp_path / "out.csv")} == set(TEXTS)
    predict(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in line.items() if k != "prediction"} for line in lines] == rows
    with pytest.raises(ZooError, match="rows with an instruction, and the options task"):
        predict(tmp_path / "in.jsonl", tmp_path / "other.csv", options={"task": "ae"})


def test_progress_has_total_and_time_left_also_of_a_continued_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instructzoo.core.terminal.progress.LOG_SECONDS", -1)
    monkeypatch.setattr(model, "BLOCK_INPUTS", 1)
    for number, source in enumerate(sources(tmp_path)):
        api.predict("absa", str(source), str(tmp_path / f"{number}.csv"), "tiny")
        shown = capsys.readouterr().err
        assert "answered: 0 of 3 rows\nanswered: 1 of 3 rows, 0:0" in shown, source
        assert "left\n" in shown
        assert shown.splitlines()[-1].startswith("answered: 3 of 3 rows in")


class Nothing(Scripted):
    def answer(self, rows: list[Any]) -> list[str]:
        return ["nothing"] * len(rows)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def items(count: int) -> Iterator[Item]:
        return (Item(n, f"in.txt:{n}", f"Good food on day {n}.") for n in range(1, count + 1))

    def peak(count: int) -> int:
        predictor, output = Nothing(domains.get("absa")), tmp_path / f"{count}.csv"
        answers = output_files.OutputFile(output, {"model": "a"})
        tracemalloc.start()
        try:
            answers.open()
            counts = answer_file.answer_to_file(
                predictor, items(count), answers, predictor.domain.module("answers").Options(), Counter("", quiet=True)
            )
            assert counts == {"answered": count, "failed": 0}
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert issubclass(domains.get("absa").module("answers").Options, Options)
    peak(200)
    assert peak(4_000) < peak(400) * 1.3 + 200_000
