"""Building data: nothing is dropped without a count, nothing leaks, and a damaged cache is not trusted."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pytest

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.data import BuiltData, build, build_rows, builder, write_jsonl
from instructzoo.core.data.builder import content_key
from instructzoo.core.data.data_card import interval_of_half, readme
from instructzoo.core.data.split import by_item
from instructzoo.core.data.tables import complete_columns, dataset, fingerprint, table
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.score import confidence_interval

MODEL = {"backbone": "scratch:llama-0.4m", "tokenizer": "digits"}


def recipe(seed: int = 0, **data: Any) -> Recipe:
    return Recipe.model_validate({"domain": "fake", "model": MODEL, "seed": seed, "data": data})


def row(instruction: str, input: str = "", output: str = "yes", **more: str) -> Row:
    return {"instruction": instruction, "input": input, "output": output, "source": "made", "licence": "MIT", **more}


def poems(n: int, start: int = 0) -> list[Row]:
    words = ("moon", "river", "stone", "lark", "ember", "thaw", "grove", "tide", "loam", "wren")
    return [
        row("Rate the line.", " ".join(words[int(d)] for d in f"{i:05d}") + f" and {words[i % 10]} again")
        for i in range(start, start + n)
    ]


def raw(**splits: list[Row]) -> datasets.DatasetDict:
    return datasets.DatasetDict({split: dataset(rows) for split, rows in splits.items()})


def inputs(built: BuiltData, split: str) -> list[str]:
    return list(built.rows[split]["input"])


class Domain:
    """A domain with a package of its own and a source that counts its calls."""

    def __init__(self, package: Path, splits: datasets.DatasetDict) -> None:
        self.package, self.splits, self.calls, self.objective = package, splits, 0, "text"
        (package / "sources.py").write_text("# rows\n")

    def folder(self) -> Path:
        return self.package

    def module(self, name: str) -> SimpleNamespace:
        assert name == "sources"
        return SimpleNamespace(build=self._build)

    def _build(self, recipe: Recipe, splits: Sequence[str]) -> datasets.DatasetDict:
        self.calls += 1
        names = splits if set(splits) <= set(self.splits) - {"train"} else list(self.splits)
        return datasets.DatasetDict({name: self.splits[name] for name in names})


@pytest.fixture
def domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Domain:
    (tmp_path / "package").mkdir()
    domain = Domain(tmp_path / "package", raw(train=poems(60)))
    monkeypatch.setattr(domains, "get", lambda name: domain)
    monkeypatch.setenv("INSTRUCTZOO_CACHE", str(tmp_path / "cache"))
    return domain


def test_every_dropped_row_is_counted_with_its_reason(tmp_path: Path) -> None:
    train = [
        *poems(200),
        *poems(3),  # same ids
        row("Rate the line.", poems(1)[0]["input"].upper() + "!"),  # near the first
        row("  ", " ", "nothing asked"),
        row("Rate the line.", "an unrated line", "  "),
    ]
    test = poems(40, start=190)  # ten of them are in train as well
    built = build_rows(raw(train=train, validation=poems(10, 400), test=test), recipe(limit=150), tmp_path / "out")
    dropped = {(entry["part"], entry["reason"]): entry["rows"] for entry in built.card["dropped"]}
    assert dropped == {
        ("train", "no text (instruction and input are empty)"): 1,
        ("train", "no output to learn"): 1,
        ("train", "duplicate (same id)"): 3,
        ("train", "near-duplicate (Jaccard of word 3-grams at least 0.9)"): 1,
        ("train", "contaminates test (the same item)"): 10,
        ("train", "beyond data.limit=150"): 40,
    }
    assert built.card["raw"] == {"train": len(train), "validation": 10, "test": 40}
    assert built.card["raw"]["train"] - sum(dropped.values()) == built.card["counts"]["train"] == 150


def test_rows_shared_with_a_later_split_are_dropped_and_on_the_card(tmp_path: Path) -> None:
    leaked = poems(5)
    source = raw(
        train=poems(50), validation=[*poems(2), *poems(5, 100)], test=[*leaked, *poems(3, 200), *poems(1, 100)]
    )
    built = build_rows(source, recipe(), tmp_path / "out")
    for split, later_split in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not set(inputs(built, split)) & set(inputs(built, later_split))
    assert set(inputs(built, "test")) == {row["input"] for row in [*leaked, *poems(3, 200), *poems(1, 100)]}
    checks = {(c["checked"], c["against"]): c["found_exact"] for c in built.card["contamination"]["checks"]}
    assert checks == {("train", "validation"): 2, ("train", "test"): 5, ("validation", "test"): 3}
    assert "| train | test | 5 of 9 (5 exactly, 0 by n-grams) | 5 |" in (built.folder / "README.md").read_text()


def test_all_wordings_of_an_item_are_in_one_split(tmp_path: Path) -> None:
    wordings = ("What is {}?", "Work out {} for me, please", "{}")
    rows = [
        row(wording.format(f"{a} + {b}"), f"{a} + {b}", str(a + b), item=f"add {min(a, b)} {max(a, b)}")
        for a in range(12)
        for b in range(12)
        for wording in wordings
    ]
    built = build_rows(raw(train=rows), recipe(validation=0.2, test=0.2), tmp_path / "out")
    items_by_split = [set(built.rows[split]["item"]) for split in ("train", "validation", "test")]
    assert sum(map(len, items_by_split)) == len(set().union(*items_by_split)) == 78
    assert not built.card["dropped"]  # 12 + 34 and 12 + 35 are two items, and so are two wordings two rows
    assert sum(built.card["counts"].values()) == len(rows)


def test_two_tasks_or_two_answers_on_one_text_are_kept(tmp_path: Path) -> None:
    line = "the soup was cold but the waiter was kind and the bread was warm and fresh"
    train = [row("List the aspects.", line, "none"), row("List the opinions.", line, "none"), *poems(40)]
    train.append(row("List the aspects.", line, "the soup; the waiter; the bread; and whatever else was on the table"))
    source = raw(train=train, validation=poems(5, 200), test=poems(5, 300))
    assert not build_rows(source, recipe(), tmp_path / "out").card["dropped"]


def test_one_question_about_several_items_is_kept_for_each(tmp_path: Path) -> None:
    train = [row("What is he doing?", "", "running", item=f"clip {i}") for i in range(30)]
    built = build_rows(raw(train=train), recipe(validation=0.1, test=0.1), tmp_path / "out")
    assert sum(built.card["counts"].values()) == 30
    assert not built.card["dropped"]


def test_near_duplicates_of_a_published_test_split_are_kept(tmp_path: Path) -> None:
    twin = poems(1, 300)[0]
    test = [twin, twin | {"input": twin["input"].upper()}]
    built = build_rows(raw(train=poems(40), validation=poems(5, 200), test=test), recipe(), tmp_path / "out")
    assert built.card["counts"]["test"] == 2


def folds(source: datasets.DatasetDict, count: int, folder: Path, **settings: Any) -> list[BuiltData]:
    return [build_rows(source, recipe(fold=f"{k}/{count}", **settings), folder / str(k)) for k in range(1, count + 1)]


def test_folds_are_disjoint_and_together_the_training_part(tmp_path: Path) -> None:
    wordings = [
        row(f"{verb} the line.", poem["input"], item=poem["input"]) for poem in poems(53) for verb in ("Rate", "Judge")
    ]
    built = folds(raw(train=wordings), 5, tmp_path, validation=0.2)
    tests = [inputs(fold, "test") for fold in built]
    assert sorted(len(set(fold_inputs)) for fold_inputs in tests) == [10, 10, 11, 11, 11]
    assert sorted(text for fold_inputs in tests for text in fold_inputs) == sorted(row["input"] for row in wordings)
    for fold, fold_inputs in zip(built, tests, strict=True):
        assert not set(fold_inputs) & {*inputs(fold, "train"), *inputs(fold, "validation")}
        assert len(inputs(fold, "train")) + len(inputs(fold, "validation")) + len(fold_inputs) == len(wordings)
        assert inputs(fold, "validation")
    again = build_rows(raw(train=wordings), recipe(seed=7, fold="1/5"), tmp_path / "other seed")
    assert inputs(again, "test") == tests[0]


def test_training_items_are_a_sample_that_larger_samples_contain(tmp_path: Path) -> None:
    wordings = [line | {"instruction": task, "item": line["input"]} for line in poems(40) for task in ("Rate.", "Why?")]
    source = raw(train=wordings, validation=poems(2, 100), test=poems(6, 200))
    built = {n: build_rows(source, recipe(train_items=n), tmp_path / str(n)) for n in (5, 15, 100)}
    items = {n: set(inputs(data, "train")) for n, data in built.items()}
    assert [len(items[n]) for n in (5, 15, 100)] == [5, 15, 40]
    assert items[5] < items[15] < items[100]
    assert len(inputs(built[5], "train")) == 10  # both rows of each item
    assert {"part": "train", "reason": "beyond data.train_items=5", "rows": 70} in built[5].card["dropped"]
    for data in built.values():
        assert (len(inputs(data, "validation")), len(inputs(data, "test"))) == (2, 6)
    other_seed = build_rows(source, recipe(seed=1, train_items=5), tmp_path / "seed")
    assert set(inputs(other_seed, "train")) != items[5]


def test_a_fold_has_no_row_and_no_item_of_the_published_test_part(tmp_path: Path) -> None:
    leaked, published_test = poems(6), [*poems(6), *poems(9, 200)]
    source = raw(train=poems(60), validation=[*poems(3, 8), *poems(4, 100), *poems(1, 200)], test=published_test)
    built = folds(source, 3, tmp_path)
    assert sorted(text for fold in built for text in inputs(fold, "test")) == sorted(
        row["input"] for row in poems(60) if row not in leaked and row not in poems(3, 8)
    )
    for fold in built:
        texts = {text for split in fold.rows for text in inputs(fold, split)}
        assert not texts & {row["input"] for row in published_test}
        assert inputs(fold, "validation") == [row["input"] for row in [*poems(3, 8), *poems(4, 100)]]
    page = (built[0].folder / "README.md").read_text()
    assert "fold 1/3 of train's items, by hash of the item" in page
    assert "| test | the source's test split, which data.fold leaves out | 15 |" in page
    assert "| train | the source's test | 6 of 15 (6 exactly, 0 by n-grams) | 6 |" in page


def test_a_fold_that_cannot_be_cut_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="without training rows"):
        build_rows(raw(test=poems(9)), recipe(fold="1/3"), tmp_path)
    with pytest.raises(ZooError, match=r"split test is empty.*bring more rows, or fewer folds"):
        build_rows(raw(train=poems(3)), recipe(fold="2/9"), tmp_path)


def test_an_empty_split_is_an_error_of_the_build(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"split test is empty; .*raise data\.test"):
        build_rows(raw(train=poems(20)), recipe(test=0.0), tmp_path / "out")
    with pytest.raises(ZooError, match=r"split train is empty \(20 dropped: contaminates test"):
        build_rows(raw(train=poems(20), validation=poems(3, 50), test=poems(20)), recipe(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_wrong_columns_types_or_splits_of_a_source_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="no column instruction among: text"):
        build_rows(raw(train=[{"text": "a"}]), recipe(), tmp_path / "out")
    with pytest.raises(ZooError, match="column output holds int64; expected text"):
        build_rows(raw(train=[{"instruction": "a", "output": 5}]), recipe(), tmp_path / "out")
    with pytest.raises(ZooError, match="split dev; expected some of train, validation, test"):
        build_rows(raw(dev=poems(2)), recipe(), tmp_path / "out")
    with pytest.raises(ZooError, match="rows of mixed types"):
        table([{"instruction": "a"}, {"instruction": 5}])


def test_rows_of_a_task_without_text_targets_are_kept(tmp_path: Path) -> None:
    train = [row("Make it blue.", "", "", item=f"picture {i}") for i in range(30)]
    built = build_rows(raw(train=train), recipe(validation=0.1, test=0.1), tmp_path / "out", targets=False)
    assert not any(entry["reason"].startswith("no output") for entry in built.card["dropped"])


def test_load_dataset_opens_the_built_folder(tmp_path: Path) -> None:
    built = build_rows(raw(train=poems(50), validation=poems(4, 90), test=poems(6, 120)), recipe(), tmp_path / "out")
    opened = datasets.load_dataset(str(built.folder), cache_dir=str(tmp_path / "hf"))
    assert {split: rows.num_rows for split, rows in opened.items()} == {"train": 50, "validation": 4, "test": 6}
    assert opened["test"].to_list() == built.rows["test"].to_list()
    assert list(opened["train"].features)[:7] == ["id", "instruction", "input", "output", "source", "licence", "item"]
    assert opened["train"][0]["licence"] == "MIT"


def test_a_second_build_comes_from_the_cache(domain: Domain) -> None:
    first, second = build(recipe()), build(recipe())
    assert domain.calls == 1
    assert first.fingerprint == second.fingerprint
    assert first.card == second.card
    assert first.rows["train"].to_list() == second.rows["train"].to_list()
    assert first.folder.parent == runs.cache() / "data" / "fake"


def test_a_changed_setting_seed_or_source_file_rebuilds_the_data(domain: Domain, tmp_path: Path) -> None:
    build(recipe())
    for changed in (recipe(seed=1), recipe(test=0.3), recipe(limit=20)):
        build(changed)
    assert domain.calls == 4
    (domain.package / "sources.py").write_text("# other rows\n")
    build(recipe())
    assert domain.calls == 5
    for harmless in ("demo.py", "metrics.py", "weights/model.safetensors", "__pycache__/sources.pyc"):
        (domain.package / harmless).parent.mkdir(exist_ok=True)
        (domain.package / harmless).write_text("x")
    build(recipe())
    assert domain.calls == 5


def test_a_changed_local_file_rebuilds_the_data(domain: Domain, tmp_path: Path) -> None:
    local = tmp_path / "corpus"
    write_jsonl(local / "one.jsonl", poems(3))
    build(recipe(path=str(local)))
    build(recipe(path=str(local)))
    assert domain.calls == 1
    write_jsonl(local / "one.jsonl", poems(4))
    build(recipe(path=str(local)))
    write_jsonl(local / "two.jsonl", poems(1))
    build(recipe(path=str(local)))
    assert domain.calls == 3
    with pytest.raises(ZooError, match="no such file"):
        build(recipe(path=str(tmp_path / "nowhere")))


@pytest.mark.parametrize("victim", ["train.parquet", "card.json", "manifest.json", "README.md"])
@pytest.mark.parametrize("harm", ["cut", "flip", "gone"])
def test_a_damaged_cache_entry_is_rebuilt(domain: Domain, victim: str, harm: str) -> None:
    complete = build(recipe())
    path = complete.folder / victim
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        middle = len(content) // 2
        path.write_bytes(
            content[:middle] + (b"" if harm == "cut" else bytes([content[middle] ^ 255]) + content[middle + 1 :])
        )
    rebuilt = build(recipe())
    assert domain.calls == 2
    assert rebuilt.fingerprint == complete.fingerprint
    assert path.read_bytes() == content
    assert build(recipe()).rows["train"].to_list() == complete.rows["train"].to_list()
    assert domain.calls == 2


def test_a_failed_build_leaves_no_cache_entry(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path, values: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(builder.runs, "write_json", broken)
        with pytest.raises(RuntimeError, match="power cut"):
            build(recipe())
    assert list((runs.cache() / "data" / "fake").iterdir()) == []
    assert build(recipe()).rows["train"].num_rows


def test_a_folder_of_other_files_is_not_overwritten(domain: Domain, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(ZooError, match="the folder holds other files"):
        build(recipe(), mine)
    assert (mine / "thesis.txt").read_text() == "years of work"
    (tmp_path / "file").write_text("x")
    with pytest.raises(ZooError, match="a file stands there"):
        build(recipe(), tmp_path / "file")
    assert build(recipe(), tmp_path / "new").folder == tmp_path / "new"
    assert build(recipe(seed=1), tmp_path / "new").card["seed"] == 1  # ours is replaced


def test_a_benchmark_with_only_a_test_split_can_be_built_for_scoring(domain: Domain) -> None:
    domain.splits = raw(test=poems(9))
    assert build(recipe(), splits=("test",)).rows["test"].num_rows == 9
    with pytest.raises(ZooError, match=r'no split "train" in data.sources world; expected one beside test'):
        build(recipe())


def test_a_test_split_built_alone_is_equal_and_says_it_was_not_compared(domain: Domain) -> None:
    domain.splits = raw(train=poems(60), validation=poems(5, 100), test=[*poems(3), *poems(9, 200), *poems(2, 200)])
    settings = recipe(limit=8)
    alone = build(settings, splits=("test",))
    assert list(alone.rows) == ["test"] and alone.card["contamination"]["checks"] == []
    assert "Not checked: no training rows were built" in (alone.folder / "README.md").read_text()
    assert build(settings, splits=("test",)).folder == alone.folder and domain.calls == 1
    complete = build(settings)  # the entry of the test split alone is not used for all splits
    assert domain.calls == 2 and complete.folder != alone.folder
    assert complete.rows["test"].to_list() == alone.rows["test"].to_list()
    assert build(settings, splits=("test",)).folder == complete.folder and domain.calls == 2


def test_the_test_split_of_a_fold_is_built_with_the_whole(domain: Domain) -> None:
    domain.splits = raw(train=poems(60), validation=poems(5, 100), test=poems(9, 200))
    alone = build(recipe(fold="2/5"), splits=("test",))
    assert set(inputs(alone, "test")) <= {row["input"] for row in poems(60)}
    assert build(recipe(fold="2/5")).folder == alone.folder and domain.calls == 1


def test_a_test_split_cut_from_train_is_built_with_the_whole(domain: Domain) -> None:
    alone = build(recipe(), splits=("test",))
    assert build(recipe()).folder == alone.folder and domain.calls == 1
    assert alone.card["contamination"]["checks"]


def test_the_card_states_how_many_rows_were_asked_for(tmp_path: Path) -> None:
    source = raw(train=poems(40), validation=poems(5, 200), test=poems(4, 300))
    built = build_rows(source, recipe(sizes={"train": 40, "validation": 5, "test": 1000}), tmp_path / "out")
    assert built.card["asked"] == {"train": 40, "validation": 5, "test": 1000}
    page = (tmp_path / "out" / "README.md").read_text()
    assert "The source gave train 40, validation 5, test 4 (of 1,000 asked for) rows." in page
    assert build_rows(source, recipe(sources=("files",)), tmp_path / "out").card["asked"] == {}
    assert readme({name: value for name, value in built.card.items() if name != "asked"})  # a card of an older build


def test_a_test_split_of_few_rows_is_on_the_card_with_what_to_do(tmp_path: Path) -> None:
    few = build_rows(raw(train=poems(60)), recipe(), tmp_path / "few").card["notes"]
    assert (
        "test has 2 rows, too few to tell models apart: set data.test=0.3 and bring more rows, or a test file" in few[1]
    )
    enough = build_rows(raw(train=poems(400)), recipe(test=0.02), tmp_path / "enough").card["notes"]
    assert any(re.match(r"test has \d+ rows, .*: set data.test=0.08, or a test file", note) for note in enough)
    most = build_rows(raw(train=poems(60)), recipe(test=0.3), tmp_path / "most").card["notes"]
    assert re.search(r"test has \d+ rows, .*: bring more rows, or a test file", most[1])  # no advice that is followed
    own = raw(train=poems(60), validation=poems(3, 100), test=poems(3, 200))
    assert build_rows(own, recipe(), tmp_path / "own").card["notes"] == []


def test_own_splits_of_few_rows_are_on_the_card_with_the_interval_that_they_give(tmp_path: Path) -> None:
    def own(rows: list[Row]) -> list[Row]:
        return [line | {"licence": "yours"} for line in rows]

    few = raw(train=own(poems(60)), validation=own(poems(40, 100)), test=own(poems(12, 200)))
    (note,) = build_rows(few, recipe(), tmp_path / "few").card["notes"]
    assert note.startswith(
        "test has 12 rows, too few to tell models apart: bring more rows, or test on all rows in folds"
    )
    assert "zoo reproduce RECIPE --folds 5" in note
    assert note.endswith("a score of 50% on 12 rows means 25 to 75%")
    assert interval_of_half(12) == "a score of 50% on 12 rows means 25 to 75%"
    low, high = (round(100 * end) for end in confidence_interval([0.0, 1.0] * 6))
    assert (low, high) == (25, 75)  # as the scores will say
    folded = build_rows(raw(train=own(poems(60))), recipe(fold="1/5"), tmp_path / "fold").card["notes"]
    assert [note for note in folded if note.startswith("test has 12 rows") and "folds" not in note]


def test_as_few_items_as_splits_leave_no_split_empty() -> None:
    for start in range(40):
        few = table([line | {"item": line["input"]} for line in poems(3, start * 10)])
        splits = by_item(few, {"validation": 0.02, "test": 0.02}, seed=0)
        assert {split: rows.num_rows for split, rows in splits.items()} == {"train": 1, "validation": 1, "test": 1}


def test_a_column_that_only_some_rows_have_is_an_error() -> None:
    short, long = {"instruction": "a", "output": "x"}, {"instruction": "b", "output": "y", "history": "h"}
    with pytest.raises(ZooError, match='row 2: a column "history", the rows before do not'):
        table([short, long])
    with pytest.raises(ZooError, match='row 3: no column "history", the rows before have it'):
        table([long, long, short], chunk=2)
    with pytest.raises(ZooError, match="row 3: a column"):
        table([short, short, long], chunk=2)
    assert table([long, short | {"history": None}]).column("history").to_pylist() == ["h", None]


@pytest.mark.parametrize("chunk", [1, 2, 9])
def test_absent_optional_texts_become_empty_texts(chunk: int) -> None:
    """Record lets input, output, source, licence and item be absent; they are the only columns that may be."""
    rows = [
        {"instruction": "a", "output": "x"},
        {"instruction": "b", "input": "c", "output": "y"},
        {"instruction": "d"},
    ]
    complete = complete_columns(table(rows, chunk), "train")
    assert complete.column("input").to_pylist() == ["", "c", ""]
    assert complete.column("output").to_pylist() == ["x", "y", ""]


def test_equal_rows_have_one_fingerprint_and_changed_rows_another(tmp_path: Path) -> None:
    rows = [row | {"gold": ["a", None]} for row in poems(30)]
    one_chunk, many_chunks = table(rows), table(rows, chunk=7)
    assert many_chunks.column("input").num_chunks > 1
    assert (
        fingerprint({"train": one_chunk})
        == fingerprint({"train": many_chunks})
        == fingerprint({"train": many_chunks.slice(0)})
    )
    edited = table([*rows[:-1], rows[-1] | {"gold": ["a", "b"]}])
    for changed in (one_chunk.slice(1), one_chunk.drop(["gold"]), edited):
        assert fingerprint({"train": changed}) != fingerprint({"train": one_chunk})
    joined, shifted = table([row("ab", "c")]), table([row("a", "bc")])
    assert fingerprint({"t": joined}) != fingerprint({"t": shifted})
    assert fingerprint({"a": one_chunk}) != fingerprint({"b": one_chunk})


def test_the_card_round_trips_through_json_and_shows_a_missing_licence(tmp_path: Path) -> None:
    unlicensed = [row | {"licence": ""} for row in poems(30)]
    source = raw(train=unlicensed, validation=poems(3, 50), test=poems(3, 80))
    card = build_rows(source, recipe(), tmp_path / "out").card
    assert json.loads((tmp_path / "out" / "card.json").read_text()) == card
    assert card["licences"] == ["MIT", "not stated"]
    assert card["sources"][0] == {"source": "made", "licence": "", "rows": {"train": 30}}
    assert card["lengths"]["train"]["instruction"] == {"mean": 14.0, "median": 14.0, "p95": 14.0, "longest": 14}
    assert len(card["examples"]["train"]) == 3


@pytest.mark.parametrize(
    ("module", "builds_anew"),
    [
        ("demo/__init__.py", False), ("demo/css.py", False), ("metrics/baselines.py", False), ("extraction.py", False),
        ("weights/tiny/README.md", False), ("world/fact_templates.py", True), ("prompts/templates.py", True),
        ("sources.py", True), ("data/readers/brat.py", True), ("schema.py", True),
    ],
)  # fmt: skip
def test_only_code_that_makes_rows_decides_the_cache_key(module: str, builds_anew: bool, tmp_path: Path) -> None:
    package = Path(shutil.copytree(domains.get("uie").folder(), tmp_path / "uie"))
    key = content_key(recipe(), package)
    assert content_key(recipe(), package) == key
    path = package / module
    path.write_text(path.read_text(encoding="utf-8") + "\n# a comment\n", encoding="utf-8")
    assert (content_key(recipe(), package) != key) == builds_anew
