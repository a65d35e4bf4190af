"""Published and own sets become rows: which parts, which questions, which labels; or an error that names the place."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pytest

from instructzoo.core import api, data
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import permits
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Invalid, Row
from instructzoo.uie import prompts, schema, sources
from instructzoo.uie.data import corpora

COLUMNS = {"id", "instruction", "input", "output", "source", "licence", "item"}
COLUMNS |= {"task", "options", "given", "gold", "dataset"}


def recipe(*names: str, **values: Any) -> Recipe:
    model = {"backbone": "scratch:llama-0.4m", "tokenizer": "bpe"}
    return Recipe.model_validate({"domain": "uie", "model": model, "data": {"sources": names, **values}})


def conll(path: Path, n: int, start: int = 0, label: str = "person") -> Path:
    """n sentences, every second one without an entity."""
    path.parent.mkdir(parents=True, exist_ok=True)
    odd = [f"Name{i}\tB-{label}\nsleeps\tO\n" if i % 2 else f"nobody{i}\tO\n" for i in range(start, start + n)]
    path.write_text("\n".join(odd), encoding="utf-8")
    return path


def crossner(folder: Path, name: str = "ai", **sizes: int) -> Path:
    for number, (part, n) in enumerate(sizes.items()):
        conll(folder / "crossner" / name / f"{part}.txt", n, number * 1_000)
    return folder


def conll04(folder: Path, n: int = 6, part: str = "train") -> Path:
    rows = [
        {
            "tokens": ["Ann", "lives", "in", "Oslo", str(i)],
            "entities": [[0, 1, "Peop"], [3, 4, "Loc"]],
            "relations": [[0, 1, 3, 4, "Live_In"]] if i % 2 else [],
        }
        for i in range(n)
    ]
    path = folder / "conll04" / f"{part}.CoNLL04.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows), encoding="utf-8")
    return folder


def tasks(rows: datasets.Dataset) -> Counter[str]:
    return Counter(rows["task"])


def test_rows_have_the_expected_columns_licence_and_items(tmp_path: Path) -> None:
    parts = sources.build(recipe("crossner/ai", path=str(crossner(tmp_path, train=10, dev=4, test=6))))
    assert {part: len(rows) for part, rows in parts.items() if part != "train"} == {"validation": 4, "test": 6}
    for rows in parts.values():
        assert set(rows.column_names) == COLUMNS
        assert {(r["source"], r["licence"], r["dataset"]) for r in rows} == {("crossner/ai", "MIT", "crossner/ai")}
        assert all(r["item"] == " ".join(r["input"].casefold().split()) for r in rows)
    assert [r["output"] for r in parts["test"]][:2] == ["None", "person: Name2001"]


def test_auxiliary_tasks_are_sampled_in_the_train_split_only(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=400, dev=50, test=50))
    parts = sources.build(recipe("crossner/ai", path=path))
    train = tasks(parts["train"])
    assert train["ner"] == 400
    assert 80 <= train["es"] <= 160 and 35 <= train["et"] <= 90  # 30% of 400, and of the 200 with an entity
    assert set(tasks(parts["test"])) == set(tasks(parts["validation"])) == {"ner"}
    parts = sources.build(recipe("crossner/ai", path=path, options={"tasks": ["ner", "es"], "auxiliary_share": 1}))
    assert tasks(parts["train"]) == {"ner": 400, "es": 400, "et": 200}
    assert tasks(parts["test"]) == {"ner": 50, "es": 50}
    parts = sources.build(recipe("crossner/ai", path=path, options={"auxiliary": []}))
    assert tasks(parts["train"]) == {"ner": 400}


def test_per_dataset_draws_a_seeded_sample_from_the_whole_train_split(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=300, dev=9, test=9))

    def drawn(seed: int) -> list[str]:
        options = {"per_dataset": 40, "auxiliary": []}
        made = recipe("crossner/ai", path=path, options=options).model_copy(update={"seed": seed})
        parts = sources.build(made)
        assert "40 of 300 sentences" in parts["train"].info.description
        assert (len(parts["validation"]), len(parts["test"])) == (9, 9)
        return list(parts["train"]["input"])

    assert len(drawn(0)) == 40 and drawn(0) == drawn(0) != drawn(1)
    numbers = [int("".join(filter(str.isdigit, text))) for text in drawn(0)]
    assert numbers == sorted(numbers) and numbers[-1] > 200


def test_missing_splits_are_cut_from_train_and_share_no_items_with_it(tmp_path: Path) -> None:
    conll04(crossner(tmp_path, train=200, dev=20), 200)
    parts = sources.build(recipe("crossner/ai", "conll04", path=str(tmp_path), test=0.1, validation=0.1))
    items = {part: set(rows["item"]) for part, rows in parts.items()}
    assert not items["train"] & items["test"] and not items["train"] & items["validation"]
    sets = {part: Counter(r["dataset"] for r in rows if r["task"] == "ner") for part, rows in parts.items()}
    assert sets["validation"]["crossner/ai"] == 20
    assert 8 <= sets["test"]["crossner/ai"] <= 35 and 8 <= sets["test"]["conll04"] <= 35
    assert sum(sets[part]["conll04"] for part in sets) == 200
    said = parts["test"].info.description
    assert said.count("cut out of its train part (0.1 of the items)") == 2


def test_a_dev_split_used_as_test_is_not_used_for_validation(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=200, dev=20))
    parts = sources.build(recipe("crossner/ai", path=path, validation=0.1, options={"missing_test": "development"}))
    assert len(parts["test"]) == 20 and "its development part" in parts["test"].info.description
    assert not set(parts["validation"]["item"]) & (set(parts["test"]["item"]) | set(parts["train"]["item"]))


def test_a_dev_split_is_halved_into_disjoint_validation_and_test_splits(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=200, dev=60))
    parts = sources.build(recipe("crossner/ai", path=path, options={"missing_test": "halve"}))
    assert len(parts["test"]) + len(parts["validation"]) == 60 and len(parts["test"]) > 15 < len(parts["validation"])
    assert not set(parts["validation"]["item"]) & set(parts["test"]["item"])
    assert "half of its development part" in parts["test"].info.description


def test_a_held_out_set_is_in_the_test_split_only(tmp_path: Path) -> None:
    crossner(crossner(tmp_path, train=20, dev=5, test=5), "music", train=20, dev=7)
    options = {"held_out": ["crossner/music"]}
    parts = sources.build(recipe("crossner/ai", "crossner/music", path=str(tmp_path), options=options))
    where = {part: Counter(rows["dataset"]) for part, rows in parts.items()}
    assert "crossner/music" not in where["train"] | where["validation"]
    assert where["test"] == {"crossner/ai": 5, "crossner/music": 7}
    assert "its validation part, since its test part is not there" in parts["test"].info.description
    with pytest.raises(ZooError, match=r'data\.options\.held_out: "wnut17"'):
        sources.build(recipe("crossner/ai", path=str(tmp_path), options={"held_out": ["wnut17"]}))


def test_the_test_split_alone_is_built_without_train_unless_cut_from_it(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=20, dev=5, test=5))
    whole = sources.build(recipe("crossner/ai", path=path))
    alone = sources.build(recipe("crossner/ai", path=path), ("test",))
    assert list(alone) == ["test"] and alone["test"].to_list() == whole["test"].to_list()
    assert "train" in sources.build(recipe("conll04", path=str(conll04(tmp_path, 40)), test=0.2), ("test",))


def test_labels_of_every_split_are_offered_in_all_rows(tmp_path: Path) -> None:
    crossner(tmp_path, train=10, dev=4)
    conll(tmp_path / "crossner" / "ai" / "test.txt", 4, 5_000, "programlang")
    parts = sources.build(recipe("crossner/ai", path=str(tmp_path)))
    offered = {tuple(sorted(json.loads(r["options"]))) for rows in parts.values() for r in rows}
    assert offered == {("person", "programming language")}


def test_sampled_options_include_gold_labels_and_test_rows_offer_all(tmp_path: Path) -> None:
    lines = [f"N{i}\tB-type{i}\nof\tO\nM{i}\tB-type{(i + 1) % 30}\n" for i in range(30)]
    for part in ("train", "test"):
        path = tmp_path / "crossner" / "ai" / f"{part}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines).replace("of", part), encoding="utf-8")
    parts = sources.build(recipe("crossner/ai", path=str(tmp_path), options={"negatives": 3, "auxiliary": []}))
    sizes = set()
    for row in parts["train"]:
        options, true = json.loads(row["options"]), schema.from_json(row["gold"]).entities
        assert {m.type for m in true} <= set(options) and len(true) == 2
        sizes.add(len(options))
    assert sizes == {5}
    assert {len(json.loads(row["options"])) for row in parts["test"]} == {30}


def test_sentences_without_relations_answer_none_and_get_no_epr_row(tmp_path: Path) -> None:
    parts = sources.build(recipe("conll04", path=str(conll04(tmp_path, 60)), options={"auxiliary_share": 1}))
    outputs = {task: {r["output"] for r in parts["train"] if r["task"] == task} for task in ("re", "epr", "ep")}
    assert outputs["re"] == {"None", "lives in: Ann, Oslo"}
    assert outputs["epr"] == {"lives in: Ann, Oslo"}  # nothing is given where nothing is related
    assert outputs["ep"] == {"None", "Ann, Oslo"}


@pytest.mark.parametrize("inside", ["", "ie", "crossner/ai", "crossner"])
def test_a_set_is_found_from_any_folder_level(tmp_path: Path, inside: str) -> None:
    crossner(tmp_path / "ie", train=9, dev=3, test=3)
    path = tmp_path if not inside else tmp_path / "ie" / inside.removeprefix("ie")
    assert len(sources.build(recipe("crossner/ai", path=str(path)))["test"]) == 3


def test_a_set_without_files_is_an_error(tmp_path: Path) -> None:
    crossner(tmp_path, train=9, dev=3, test=3)
    with pytest.raises(ZooError, match="no file of crossner/music"):
        sources.build(recipe("crossner/music", path=str(tmp_path / "crossner" / "ai")))
    with pytest.raises(ZooError, match="no file of wnut17"):
        sources.build(recipe("crossner/ai", "wnut17", path=str(tmp_path)))


@pytest.mark.parametrize(
    ("names", "values", "said"),
    [
        (("crossner/al",), {}, 'data.sources: no source "crossner/al"; did you mean "crossner/ai"'),
        (("crossner/ai",), {"path": None}, "is read from files"),
        (("crossner/ai",), {"options": {"task": ["ner"]}}, "did you mean"),
        (("crossner/ai",), {"options": {"tasks": ["nre"]}}, 'data.options: tasks.0 = "nre"'),
        (("crossner/ai",), {"options": {"tasks": ["re"]}}, "crossner/ai answers none of re"),
        (("crossner/ai", "wnut17"), {"path": "crossner/ai/train.txt"}, "one file for several sources"),
    ],
)
def test_an_invalid_setting_is_an_error(
    tmp_path: Path, names: tuple[str, ...], values: dict[str, Any], said: str
) -> None:
    crossner(tmp_path, train=9, dev=3, test=3)
    path = values.get("path", "")
    made = recipe(*names, **values | {"path": None if path is None else str(tmp_path / path)})
    with pytest.raises(ZooError) as caught:
        sources.build(made)
    assert said in str(caught.value)


def test_world_and_corpus_rows_can_be_mixed(tmp_path: Path) -> None:
    sizes = {"train": 30, "validation": 5, "test": 5}
    parts = sources.build(
        recipe("world", "crossner/ai", path=str(crossner(tmp_path, train=9, dev=3, test=3)), sizes=sizes)
    )
    assert Counter(parts["test"]["dataset"]) == {"world": 5, "crossner/ai": 3}


# --- own files


def test_own_files_are_read_into_their_splits_and_skipped_files_are_noted(tmp_path: Path) -> None:
    for number, name in enumerate(("train/1", "train/2", "dev/3", "test/4")):
        path = tmp_path / f"{name}.ann"
        path.parent.mkdir(exist_ok=True)
        path.write_text("T1\tperson 0 3\tAnn\n", encoding="utf-8")
        path.with_suffix(".txt").write_text(f"Ann {number}", encoding="utf-8")
    (tmp_path / "notes.md").write_text("x", encoding="utf-8")
    parts = sources.build(recipe("own", path=str(tmp_path), options={"auxiliary": []}))
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 2, "validation": 1, "test": 1}
    assert {r["licence"] for r in parts["train"]} == {"yours"}
    assert "1 files passed over, of no known ending: notes.md" in parts["train"].info.description


def test_a_single_own_file_is_cut_into_three_splits(tmp_path: Path) -> None:
    path = conll(tmp_path / "mine.bio", 200)
    built = data.build(recipe("own", path=str(path), test=0.1, validation=0.1), tmp_path / "built")
    assert all(built.card["counts"][part] for part in ("train", "validation", "test"))
    assert any("cut out of its train part" in note for note in built.card["notes"])


def test_own_files_of_unknown_or_mixed_formats_are_an_error(tmp_path: Path) -> None:
    conll(tmp_path / "a.conll", 4)
    (tmp_path / "b.jsonl").write_text('{"text": "Ann", "entities": [[0, 3, "person"]]}\n', encoding="utf-8")
    with pytest.raises(ZooError, match="files in several formats: conll, offsets"):
        sources.build(recipe("own", path=str(tmp_path)))
    (tmp_path / "b.jsonl").write_text('{"words": "Ann"}\n', encoding="utf-8")
    with pytest.raises(ZooError, match=r"b\.jsonl: a file in no known format"):
        sources.build(recipe("own", path=str(tmp_path)))


def test_two_labels_of_an_own_file_with_the_same_words_are_an_error(tmp_path: Path) -> None:
    spans = [[0, 3, "PER"], [4, 7, "person"]]
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "Ann Bob", "entities": spans}), encoding="utf-8")
    with pytest.raises(ZooError, match='own: the labels "PER" and "person" both read "person"'):
        sources.build(recipe("own", path=str(tmp_path)))


def test_an_annotated_own_file_becomes_rows_of_each_of_its_tasks(tmp_path: Path) -> None:
    line = {
        "text": "😀 Ann met Bo.",
        "entities": [[2, 5, "PER"]],
        "events": [{"type": "Meet", "trigger": {"start": 6, "end": 9}}],
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(line), encoding="utf-8")
    path = str(tmp_path / "a.jsonl")
    rows = sources.build(recipe("own", path=path, validation=0, test=0, options={"auxiliary_share": 1}))["train"]
    assert {r["task"]: r["output"].replace("( ", "(") for r in rows} == {
        "ner": "person: Ann", "ee": "(meet: met)", "es": "Ann", "et": "person: Ann", "eet": "meet: met",
    }  # fmt: skip


# --- zoo score


def test_a_published_file_can_be_scored_as_gold(tmp_path: Path) -> None:
    gold = conll(tmp_path / "crossner" / "ai" / "test.txt", 6)
    said = conll(tmp_path / "said.conll", 6)
    said.write_text(gold.read_text(encoding="utf-8").replace("Name3\tB-person", "Name3\tO"), encoding="utf-8")
    found = api.score("uie", str(gold), str(said))
    figures = {(f["metric"], f["group"]): f["value"] for f in found["figures"]}
    assert figures["F1", "ner crossner/ai"] == pytest.approx(0.8)
    plain = tmp_path / "said.txt"
    plain.write_text("\n".join(row["output"] for _, row in sources.gold(gold) or ()), encoding="utf-8")
    assert api.score("uie", str(gold), str(plain), "multiset")["figures"][0]["value"] == 1
    assert api.score("uie", str(gold), str(plain), "instructuie-legacy")["scorer"] == "instructuie-legacy"


def test_a_system_that_tags_nothing_scores_zero(tmp_path: Path) -> None:
    gold, said = conll(tmp_path / "gold.conll", 4), tmp_path / "said.conll"
    said.write_text("nobody0\tO\n\nName1\tO\nsleeps\tO\n\nnobody2\tO\n\nName3\tO\nsleeps\tO\n", encoding="utf-8")
    assert api.score("uie", str(gold), str(said))["figures"][0]["value"] == 0


def test_eea_answers_to_another_event_type_are_an_error(tmp_path: Path) -> None:
    for name, event in (("gold", "attack"), ("said", "meeting")):
        value = {
            "text": "Ann hit Bo.",
            "events": [
                {
                    "type": event,
                    "trigger": {"start": 4, "end": 7},
                    "arguments": [{"role": "agent", "start": 0, "end": 3}],
                }
            ],
        }
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(value) + "\n", encoding="utf-8")
    with pytest.raises(ZooError) as caught:
        api.score("uie", str(tmp_path / "gold.jsonl"), str(tmp_path / "said.jsonl"), task="eea")
    assert 'an answer to "Ann hit Bo." "meeting"; expected one to "Ann hit Bo." "attack"' in str(caught.value)


def test_gold_rows_are_of_the_requested_task(tmp_path: Path) -> None:
    path = conll04(tmp_path, 4) / "conll04" / "train.CoNLL04.json"
    asked = {task: [row["task"] for _, row in sources.gold(path, task) or ()] for task in ("", "ner", "epr")}
    assert asked == {"": ["re"] * 4, "ner": ["ner"] * 4, "epr": ["epr"] * 2}
    for task, said in (("ee", "the task ee; expected one of"), ("nerr", '--task: the task "nerr"; did you mean "ner"')):
        with pytest.raises(ZooError) as caught:
            list(sources.gold(path, task) or ())
        assert said in str(caught.value)


def test_a_file_of_rows_is_not_read_as_a_published_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"instruction": "", "input": "Ann", "output": "person: Ann"}\n', encoding="utf-8")
    assert sources.gold(path) is None


# --- the corpora themselves

PUBLISHED = sorted(corpora.CORPORA)


@pytest.mark.realdata
@pytest.mark.parametrize("name", PUBLISHED)
def test_targets_of_every_corpus_row_parse_back_to_their_gold(realdata: Path, name: str) -> None:
    """Render then parse is the identity for every question to every sentence; no exceptions."""
    if not (realdata / "ie" / corpora.CORPORA[name].folder).is_dir():
        pytest.skip(f"no {name}")
    options = {"tasks": list(schema.TASKS), "per_dataset": None}
    parts = sources.build(recipe(name, path=str(realdata / "ie"), options=options))
    rows: list[Row] = [row for part in parts.values() for row in part.to_list()]
    assert {row["task"] for row in rows} == set(_expected(name))
    for row in rows:
        said = prompts.parse("".join(s.text for s in prompts.render(row) if s.supervised), row)
        assert not isinstance(said, Invalid), (row, said)
        assert _bare(said.annotation) == _bare(schema.from_json(row["gold"])), row


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "files", "counts"),
    [
        ("phee", ("train.jsonl", "dev.jsonl"), (3_859, 51)),
        ("semeval2010_task8", ("TRAIN_FILE.TXT", "TEST_FILE_FULL.TXT"), (10_717, 5)),
    ],
)
def test_the_grammar_rejects_exactly_the_documented_number_of_gold_answers(
    realdata: Path, name: str, files: tuple[str, ...], counts: tuple[int, int]
) -> None:
    """Those that cut a word in two; none is barred for saying a thing too often."""
    folder = realdata / "ie" / name
    if not all((folder / file).is_file() for file in files):
        pytest.skip(f"no {folder}")
    rows = [row for file in files for _, row in sources.gold(folder / file) or ()]
    assert (len(rows), sum(not permits(prompts.constraint(row), row["output"]) for row in rows)) == counts


def _expected(name: str) -> tuple[str, ...]:
    known = {"conll04": (*schema.ENTITY_TASKS, *schema.RELATION_TASKS), "semeval2010": schema.RELATION_TASKS}
    return known.get(name, schema.EVENT_TASKS if name == "phee" else schema.ENTITY_TASKS)


def _bare(found: schema.Annotation) -> list[Any]:
    """An annotation without places, which an answer does not say."""
    entities = [(m.type, m.text) for m in found.entities]
    relations = [(r.type, r.head.text, r.tail.text) for r in found.relations]
    events = [(e.type, e.trigger.text, [(m.type, m.text) for m in e.arguments]) for e in found.events]
    return [entities, relations, events]


@pytest.mark.realdata
def test_real_sets_share_no_item_across_splits(realdata: Path, tmp_path: Path) -> None:
    names = ("crossner/ai", "crossner/science", "wnut17", "conll04")
    if not (realdata / "ie" / "wnut17").is_dir():
        pytest.skip("no wnut17")
    built = data.build(recipe(*names, path=str(realdata / "ie")), tmp_path / "built")
    items = {part: set(rows["item"]) for part, rows in built.rows.items()}
    assert not items["train"] & (items["validation"] | items["test"]) and not items["validation"] & items["test"]
    assert any("contaminates" in drop["reason"] for drop in built.card["dropped"])
