"""Published rows get the columns of the world, or raise an error that names their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from instructzoo.arithmetic import sources, world
from instructzoo.arithmetic.data import readers
from instructzoo.arithmetic.world.synthesis import goat_dataset
from instructzoo.core import data
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe

COLUMNS = {"id", "instruction", "input", "output", "source", "licence", "item", "answer", "operation", "digits"}

GOAT = [
    {"instruction": "Tell me 7+35", "input": "7 + 35", "output": "7 + 35 = 42", "answer": "42"},
    {"instruction": "20 minus 53?", "input": "20 - 53", "output": "20 - 53 = -33", "answer": "-33"},
    {"instruction": "30x4", "input": "30 * 4", "output": "30 * 4 = 120", "answer": "120"},
    {"instruction": "17/5 is", "input": "17 / 5", "output": "17 / 5 = 3 R 2", "answer": "3 R 2"},
    {"instruction": "9/0", "input": "9 / 0", "output": "9 / 0 is undefined", "answer": "none at all"},
]
EXAMPLES = [
    {"input": "What is 0 plus 1?", "target": "1", "target_scores": {"5": 0.0, "house": 0.0, "1": 1.0}},
    {"input": "What is 3 minus 9?", "target": ["-6"]},
    {"input": "What is 12 times 3?", "target_scores": {"35": 0.0, "36": 1.0}},
    {"input": "What is 84 divided by 7?", "target": 12},
]


def recipe(*names: str, **values: Any) -> Recipe:
    model = {"backbone": "scratch:llama-0.4m", "tokenizer": "digits"}
    return Recipe.model_validate({"domain": "arithmetic", "model": model, "data": {"sources": names, **values}})


def goat(folder: Path, rows: list[Any] = GOAT) -> Path:
    path = folder / "dataset.json"
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return path


def bigbench(folder: Path, examples: list[Any] = EXAMPLES, name: str = "task.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps({"name": "sums", "examples": examples}), encoding="utf-8")
    return folder / name


def test_published_rows_get_their_item_operation_digits_and_answer(tmp_path: Path) -> None:
    splits = sources.build(recipe("goat", path=str(goat(tmp_path))))
    rows = splits["train"].to_list()
    assert list(splits) == ["train"]
    assert all(set(row) == COLUMNS for row in rows)
    assert [row["item"] for row in rows] == ["add 7 35", "subtract 20 53", "multiply 4 30", "divide 17 5", "divide 9 0"]
    assert [row["digits"] for row in rows] == ["1D+2D", "2D-2D", "2D*1D", "2D/1D", "1D/1D"]
    assert [row["answer"] for row in rows] == ["42", "-33", "120", "3 R 2", "undefined"]
    assert [row["operation"] for row in rows] == ["add", "subtract", "multiply", "divide", "divide"]
    assert {(row["source"], row["licence"]) for row in rows} == {("goat", "Apache-2.0")}
    for row, published in zip(rows, GOAT, strict=True):
        assert {name: row[name] for name in ("instruction", "input", "output")} == {
            name: published[name] for name in ("instruction", "input", "output")
        }


def test_a_published_row_of_a_world_problem_equals_the_row_of_the_world() -> None:
    rows = sources.build(recipe("world", sizes={"train": 400, "validation": 5, "test": 5}))["train"].to_list()
    for row in rows:
        published = readers.make_row(
            {k: row[k] for k in ("instruction", "input", "output")}, row["answer"], "goat", "here"
        )
        assert published == row | {"source": "goat"}


def test_benchmark_rows_are_in_the_test_split_only(tmp_path: Path) -> None:
    splits = sources.build(recipe("bigbench", path=str(bigbench(tmp_path))))
    assert list(splits) == ["test"]
    rows = splits["test"].to_list()
    assert all(set(row) == COLUMNS for row in rows)
    assert [row["instruction"] for row in rows] == [example["input"] for example in EXAMPLES]
    assert [row["input"] for row in rows] == ["0 + 1", "3 - 9", "12 * 3", "84 / 7"]
    assert [row["output"] for row in rows] == [row["answer"] for row in rows] == ["1", "-6", "36", "12"]
    assert [row["item"] for row in rows] == ["add 0 1", "subtract 3 9", "multiply 3 12", "divide 84 7"]
    assert {(row["source"], row["licence"]) for row in rows} == {("bigbench", "Apache-2.0")}


def test_every_task_of_a_benchmark_folder_is_read(tmp_path: Path) -> None:
    bigbench(tmp_path / "1_digit_addition", EXAMPLES[:1])
    bigbench(tmp_path / "2_digit_division", EXAMPLES[3:])
    (tmp_path / "results.json").write_text('{"scores": []}')  # no task, and no fault
    splits = sources.build(recipe("bigbench", path=str(tmp_path)))
    assert splits["test"]["item"][:] == ["add 0 1", "divide 84 7"]


def test_each_published_source_reads_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "goat").mkdir()
    goat(tmp_path / "goat")
    bigbench(tmp_path / "bigbench")
    splits = sources.build(recipe("goat", "bigbench", path=str(tmp_path)))
    assert {split: rows.num_rows for split, rows in splits.items()} == {"train": 5, "test": 4}
    (tmp_path / "bigbench").rename(tmp_path / "bigbenhc")
    with pytest.raises(ZooError, match='did you mean "bigbenhc"'):
        sources.build(recipe("goat", "bigbench", path=str(tmp_path)))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (GOAT[0] | {"answer": "43"}, 'answer "43" to 7 + 35; expected "42"'),
        (GOAT[0] | {"input": "7 and 35"}, 'no problem in "7 and 35"'),
        (GOAT[0] | {"input": "7 + 35 + 1"}, 'no problem in "7 + 35 + 1"'),
        (GOAT[0] | {"input": "1.5 + 2"}, 'no problem in "1.5 + 2"'),
        (GOAT[0] | {"output": 42}, 'no text "output"'),
        ({"instruction": "7 + 35"}, 'no text "input"'),
        (GOAT[0] | {"output": "7 + 35 = 43"}, 'output "7 + 35 = 43" to 7 + 35; expected one that ends in "42"'),
        (GOAT[0] | {"output": "7 + 35 = 43", "answer": None}, 'output "7 + 35 = 43" to 7 + 35'),
        (GOAT[0] | {"output": "forty-two"}, 'output "forty-two" to 7 + 35'),
        (GOAT[0] | {"answer": 0}, 'answer "0" to 7 + 35; expected "42"'),
        (GOAT[0] | {"answer": "forty-two"}, 'answer "forty-two" to 7 + 35'),
        (GOAT[3] | {"output": "17 / 5 = 3"}, 'output "17 / 5 = 3" to 17 / 5; expected one that ends in "3 R 2"'),
        (GOAT[4] | {"output": "9 / 0 = 0"}, 'output "9 / 0 = 0" to 9 / 0'),
        (GOAT[4] | {"answer": "0"}, 'answer "0" to 9 / 0; expected "undefined"'),
        (GOAT[0] | {"input": f"7 + {'3' * 5000}"}, "a number of 5,000 digits; expected at most 1,000"),
    ],
)
def test_a_wrong_row_is_an_error_with_its_line(tmp_path: Path, row: dict[str, Any], words: str) -> None:
    path = tmp_path / "dataset.jsonl"
    path.write_text("\n".join(map(json.dumps, [GOAT[1], row])), encoding="utf-8")
    with pytest.raises(ZooError) as caught:
        sources.build(recipe("goat", path=str(path)))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert words in str(caught.value)


def test_right_rows_in_other_forms_are_accepted(tmp_path: Path) -> None:
    """Published rows may write R 0, a bare "is undefined" or a whole number as a number."""
    rows = [
        {"instruction": "4/2", "input": "4 / 2", "output": "4 / 2 = 2 R 0", "answer": "2 R 0"},
        {"instruction": "5-5", "input": "5 - 5", "output": "5 - 5 = 0", "answer": 0},
        {"instruction": "9/0", "input": "9 / 0", "output": "is undefined", "answer": "undefined"},
        {"instruction": "1+1", "input": "1 + 1", "output": "1 + 1 = 2"},
        {"instruction": "1000+1", "input": "1000 + 1", "output": "= 1,001", "answer": "1,001"},
    ]
    built = sources.build(recipe("goat", path=str(goat(tmp_path, rows))))["train"]
    assert built["answer"][:] == ["2", "0", "undefined", "2", "1001"]
    assert built["output"][:] == [row["output"] for row in rows]


def test_a_benchmark_without_arithmetic_is_an_error_with_its_example(tmp_path: Path) -> None:
    for example, words in (
        ({"input": "Who wrote it?", "target": "her"}, 'no problem in "Who wrote it?"'),
        ({"input": "What is 1 plus 1?"}, 'no answer; expected "target" or "target_scores"'),
        ({"input": "What is 1 plus 1?", "target": "3"}, 'answer "3" to 1 plus 1; expected "2"'),
        ({"input": "What is 1 plus 1?", "target_scores": {"2": "a"}}, 'a score in "target_scores" is no number'),
        (["What is 1 plus 1?"], 'no text "input"'),
    ):
        path = bigbench(tmp_path, [EXAMPLES[0], example])
        with pytest.raises(ZooError) as caught:
            sources.build(recipe("bigbench", path=str(path)))
        assert f"{path}, example 2: {words}" in str(caught.value)
    path.write_text('{"examples": 5}')
    with pytest.raises(ZooError, match=r'task\.json: "examples" is int; expected a list of objects'):
        sources.build(recipe("bigbench", path=str(path)))
    with pytest.raises(ZooError, match="no examples"):
        sources.build(recipe("bigbench", path=str(goat(tmp_path))))


def test_an_unknown_source_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(
        ZooError, match=r'data\.sources: no source "goats"; expected did you mean "goat"|did you mean "goat"'
    ):
        sources.build(recipe("goats"))


@pytest.mark.parametrize("name", ["goat", "bigbench"])
def test_an_unreachable_hub_is_a_one_line_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(ZooError) as caught:
        sources.build(recipe(name))
    assert "\n" not in str(caught.value)
    assert "ConnectionError: no route to host" in str(caught.value)
    assert "data.path=FILE" in str(caught.value)


def test_rows_from_the_hub_equal_rows_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = [{"inputs": e["input"], "targets": [str(t)]} for e, t in zip(EXAMPLES, (1, -6, 36, 12), strict=True)]

    def load(name: str, config: str | None = None, revision: str | None = None) -> datasets.DatasetDict:
        if name == "tasksource/bigbench" and revision is None:
            raise RuntimeError("Dataset scripts are no longer supported")
        records = GOAT if name == "tiedong/goat" else hub
        return datasets.DatasetDict({"train": datasets.Dataset.from_list(records)})

    monkeypatch.setattr(datasets, "load_dataset", load)
    local = sources.build(recipe("goat", path=str(goat(tmp_path))))["train"].to_list()
    assert sources.build(recipe("goat"))["train"].to_list() == local
    local = sources.build(recipe("bigbench", path=str(bigbench(tmp_path / "b"))))["test"].to_list()
    assert sources.build(recipe("bigbench"))["test"].to_list() == local


def test_benchmark_problems_are_dropped_from_published_training_data(tmp_path: Path) -> None:
    (tmp_path / "goat").mkdir()
    commuted = {"instruction": "1+0?", "input": "1 + 0", "output": "1 + 0 = 1", "answer": "1"}
    more = [
        {"instruction": f"{n}+{n}", "input": f"{n} + {n}", "output": f"{n} + {n} = {2 * n}", "answer": str(2 * n)}
        for n in range(50, 90)
    ]
    goat(tmp_path / "goat", [*GOAT, commuted, *more])
    bigbench(tmp_path / "bigbench")
    built = data.build(recipe("goat", "bigbench", path=str(tmp_path)), tmp_path / "out")
    assert "add 0 1" not in built.rows["train"]["item"][:]
    assert built.rows["test"].num_rows == 4
    assert {"part": "train", "reason": "contaminates test (the same item)", "rows": 1} in built.card["dropped"]


def test_the_world_builds_its_splits_by_the_settings() -> None:
    sizes = {"train": 60, "validation": 7, "test": 9}
    splits = sources.build(recipe("world", sizes=sizes, world={"operations": ["add"], "sums": 3}))
    assert {split: rows.num_rows for split, rows in splits.items()} == sizes
    assert set(splits["test"]["operation"][:]) == {"add"}
    with pytest.raises(ZooError, match=r"data\.world"):
        sources.build(recipe("world", world={"sums": 99}))


def test_the_corpus_builds_a_train_split_with_the_common_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "corpus", lambda seed: (goat_dataset.make_chunk(seed, number) for number in (0, 1)))
    splits = sources.build(recipe("corpus"))
    assert list(splits) == ["train"]
    assert set(splits["train"].column_names) == COLUMNS
    assert splits["train"].num_rows == 2 * goat_dataset.CHUNK_SIZE


def test_the_test_split_alone_is_built_unchanged_without_training_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = recipe(
        "world", sizes={"train": 400, "validation": 20, "test": 30}, world={"operations": ["add"], "sums": 2}
    )
    whole = data.build(settings, tmp_path / "whole").rows["test"].to_list()
    drawn, generate = [], world.generate

    def counted(n: int, seed: int, split: str, *rest: Any) -> Any:
        drawn.append(split)
        return generate(n, seed, split, *rest)

    monkeypatch.setattr(world, "generate", counted)
    alone = data.build(settings, tmp_path / "alone", splits=("test",))
    assert drawn == ["test"]
    assert list(alone.rows) == ["test"] and alone.rows["test"].to_list() == whole
    assert "Not checked" in (alone.folder / "README.md").read_text()
    data.build(settings, tmp_path / "more", splits=("train", "test"))
    assert drawn == ["test", "train", "validation", "test"]


def test_a_benchmark_alone_is_built_without_reading_training_data(tmp_path: Path) -> None:
    (tmp_path / "goat").mkdir()
    goat(tmp_path / "goat", [GOAT[0] | {"answer": "43"}])  # would be refused, were it read
    bigbench(tmp_path / "bigbench")
    built = data.build(recipe("goat", "bigbench", path=str(tmp_path)), tmp_path / "out", splits=("test",))
    assert {split: rows.num_rows for split, rows in built.rows.items()} == {"test": 4}
    with pytest.raises(ZooError, match='answer "43"'):
        data.build(recipe("goat", "bigbench", path=str(tmp_path)), tmp_path / "out")
