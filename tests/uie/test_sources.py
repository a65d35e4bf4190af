"""How published and own data sets become rows: splits, questions and labels; and errors that name file and line."""

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
    for number, (split, n) in enumerate(sizes.items()):
        conll(folder / "crossner" / name / f"{split}.txt", n, number * 1_000)
    return folder


def conll04(folder: Path, n: int = 6, split: str = "train") -> Path:
    rows = [
        {
            "tokens": ["Ann", "lives", "in", "Oslo", str(i)],
            "entities": [[0, 1, "Peop"], [3, 4, "Loc"]],
            "relations": [[0, 1, 3, 4, "Live_In"]] if i % 2 else [],
        }
        for i in range(n)
    ]
    path = folder / "conll04" / f"{split}.CoNLL04.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows), encoding="utf-8")
    return folder


def tasks(rows: datasets.Dataset) -> Counter[str]:
    return Counter(rows["task"])


def test_rows_have_the_expected_columns_licence_and_items(tmp_path: Path) -> None:
    splits = sources.build(recipe("crossner/ai", path=str(crossner(tmp_path, train=10, dev=4, test=6))))
    assert {split: len(rows) for split, rows in splits.items() if split != "train"} == {"validation": 4, "test": 6}
    for rows in splits.values():
        assert set(rows.column_names) == COLUMNS
        assert {(r["source"], r["licence"], r["dataset"]) for r in rows} == {("crossner/ai", "MIT", "crossner/ai")}
        assert all(r["item"] == " ".join(r["input"].casefold().split()) for r in rows)
    assert [r["output"] for r in splits["test"]][:2] == ["None", "person: Name2001"]


def test_auxiliary_tasks_are_sampled_in_the_train_split_only(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=400, dev=50, test=50))
    splits = sources.build(recipe("crossner/ai", path=path))
    train = tasks(splits["train"])
    assert train["ner"] == 400
    assert 80 <= train["es"] <= 160 and 35 <= train["et"] <= 90  # 30% of 400, and of the 200 with an entity
    assert set(tasks(splits["test"])) == set(tasks(splits["validation"])) == {"ner"}
    splits = sources.build(recipe("crossner/ai", path=path, options={"tasks": ["ner", "es"], "auxiliary_share": 1}))
    assert tasks(splits["train"]) == {"ner": 400, "es": 400, "et": 200}
    assert tasks(splits["test"]) == {"ner": 50, "es": 50}
    splits = sources.build(recipe("crossner/ai", path=path, options={"auxiliary": []}))
    assert tasks(splits["train"]) == {"ner": 400}


def test_per_dataset_draws_a_seeded_sample_from_the_whole_train_split(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=300, dev=9, test=9))

    def drawn(seed: int) -> list[str]:
        options = {"per_dataset": 40, "auxiliary": []}
        with_seed = recipe("crossner/ai", path=path, options=options).model_copy(update={"seed": seed})
        splits = sources.build(with_seed)
        assert "40 of 300 sentences" in splits["train"].info.description
        assert (len(splits["validation"]), len(splits["test"])) == (9, 9)
        return list(splits["train"]["input"])

    assert len(drawn(0)) == 40 and drawn(0) == drawn(0) != drawn(1)
    numbers = [int("".join(filter(str.isdigit, text))) for text in drawn(0)]
    assert numbers == sorted(numbers) and numbers[-1] > 200


def test_missing_splits_are_cut_from_train_and_share_no_items_with_it(tmp_path: Path) -> None:
    conll04(crossner(tmp_path, train=200, dev=20), 200)
    splits = sources.build(recipe("crossner/ai", "conll04", path=str(tmp_path), test=0.1, validation=0.1))
    items = {split: set(rows["item"]) for split, rows in splits.items()}
    assert not items["train"] & items["test"] and not items["train"] & items["validation"]
    sets = {split: Counter(r["dataset"] for r in rows if r["task"] == "ner") for split, rows in splits.items()}
    assert sets["validation"]["crossner/ai"] == 20
    assert 8 <= sets["test"]["crossner/ai"] <= 35 and 8 <= sets["test"]["conll04"] <= 35
    assert sum(sets[split]["conll04"] for split in sets) == 200
    notes = splits["test"].info.description
    assert notes.count("cut from its train split (0.1 of the items)") == 2


def test_a_dev_split_used_as_test_is_not_used_for_validation(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=200, dev=20))
    splits = sources.build(recipe("crossner/ai", path=path, validation=0.1, options={"missing_test": "development"}))
    assert len(splits["test"]) == 20 and "its development split" in splits["test"].info.description
    assert not set(splits["validation"]["item"]) & (set(splits["test"]["item"]) | set(splits["train"]["item"]))


def test_a_dev_split_is_halved_into_disjoint_validation_and_test_splits(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=200, dev=60))
    splits = sources.build(recipe("crossner/ai", path=path, options={"missing_test": "halve"}))
    assert len(splits["test"]) + len(splits["validation"]) == 60 and len(splits["test"]) > 15 < len(
        splits["validation"]
    )
    assert not set(splits["validation"]["item"]) & set(splits["test"]["item"])
    assert "half of its development split" in splits["test"].info.description


def test_a_held_out_set_is_in_the_test_split_only(tmp_path: Path) -> None:
    crossner(crossner(tmp_path, train=20, dev=5, test=5), "music", train=20, dev=7)
    options = {"held_out": ["crossner/music"]}
    splits = sources.build(recipe("crossner/ai", "crossner/music", path=str(tmp_path), options=options))
    datasets_of = {split: Counter(rows["dataset"]) for split, rows in splits.items()}
    assert "crossner/music" not in datasets_of["train"] | datasets_of["validation"]
    assert datasets_of["test"] == {"crossner/ai": 5, "crossner/music": 7}
    assert "its validation split, since its test split is missing" in splits["test"].info.description
    with pytest.raises(ZooError, match=r'data\.options\.held_out: "wnut17"'):
        sources.build(recipe("crossner/ai", path=str(tmp_path), options={"held_out": ["wnut17"]}))


def test_a_development_split_can_be_training_data_except_what_is_tested_on(tmp_path: Path) -> None:
    crossner(crossner(tmp_path, train=100, dev=40, test=10), "music", train=100, dev=40)
    options = {"development": "train", "missing_test": "halve", "auxiliary": []}
    names = ("crossner/ai", "crossner/music")
    splits = sources.build(recipe(*names, path=str(tmp_path), validation=0.1, options=options))
    items = {split: set(rows["item"]) for split, rows in splits.items()}
    assert not items["test"] & items["train"] and not items["test"] & items["validation"]
    assert not items["train"] & items["validation"]
    assert sum(map(len, items.values())) == len(set.union(*items.values())) == 150  # the second set repeats the first's
    assert "40 sentences of its development split" in splits["train"].info.description
    assert "half of its development split" in splits["test"].info.description


def test_no_training_sentence_stands_in_a_test_split_of_any_set_even_where_a_sample_is_scored(tmp_path: Path) -> None:
    conll(tmp_path / "crossner" / "ai" / "test.txt", 40)
    conll(tmp_path / "crossner" / "ai" / "train.txt", 9, 500)
    crossner(tmp_path, "music", train=60, dev=5, test=5)  # its first 40 sentences are the other set's test split
    splits = sources.build(
        recipe("crossner/ai", "crossner/music", path=str(tmp_path), validation=0, options={"per_test": 4})
    )
    assert Counter(splits["test"]["dataset"]) == {"crossner/ai": 4, "crossner/music": 4}
    assert Counter(r["dataset"] for r in splits["train"] if r["task"] == "ner") == {
        "crossner/ai": 9, "crossner/music": 20,
    }  # fmt: skip
    assert "40 sentences left out that stand in a test split" in splits["train"].info.description
    assert "4 of 40 sentences, drawn by seed (per_test)" in splits["test"].info.description


def test_variations_are_further_training_rows_with_other_labels_as_many_as_stated(tmp_path: Path) -> None:
    conll04(crossner(tmp_path, train=100, dev=10, test=10), 100)
    options = {"variations": {"crossner/ai": 1.5, "conll04": 1}, "auxiliary": []}
    splits = sources.build(recipe("crossner/ai", "conll04", path=str(tmp_path), validation=0, test=0, options=options))
    by_set = Counter((r["dataset"], r["task"]) for r in splits["train"])
    assert 220 < by_set["crossner/ai", "ner"] < 280
    assert by_set["conll04", "ner"] == by_set["conll04", "re"] == 200
    assert "city, country and company are derived from lists" in splits["train"].info.description
    offered = {name for r in splits["train"] for name in json.loads(r["options"])}
    assert {"people", "place", "city", "resides in"} <= offered
    assert {len(json.loads(r["options"])) for r in splits["test"]} == {1}
    for row in splits["train"]:
        parsed = prompts.parse(row["output"], row)
        assert not isinstance(parsed, Invalid) and set(row["item"].split()) <= set(row["input"].casefold().split())
    with pytest.raises(ZooError, match=r'data\.options\.variations: "wnut17"'):
        sources.build(recipe("crossner/ai", path=str(tmp_path), options={"variations": {"wnut17": 1}}))


def test_templates_are_training_rows_and_need_no_path(tmp_path: Path) -> None:
    splits = sources.build(recipe("templates", options={"templates": 50, "auxiliary": [], "tasks": ["ner", "re"]}))
    assert set(splits) == {"train"} and tasks(splits["train"])["ner"] == 50
    assert {(r["source"], r["licence"]) for r in splits["train"]} == {("templates", "Apache-2.0")}
    mixed = sources.build(
        recipe("crossner/ai", "templates", path=str(crossner(tmp_path, train=9, dev=3, test=3))), ("test",)
    )
    assert Counter(mixed["test"]["dataset"]) == {"crossner/ai": 3}


def test_the_test_split_alone_is_built_without_train_unless_cut_from_it(tmp_path: Path) -> None:
    path = str(crossner(tmp_path, train=20, dev=5, test=5))
    all_splits = sources.build(recipe("crossner/ai", path=path))
    test_only = sources.build(recipe("crossner/ai", path=path), ("test",))
    assert list(test_only) == ["test"] and test_only["test"].to_list() == all_splits["test"].to_list()
    assert "train" in sources.build(recipe("conll04", path=str(conll04(tmp_path, 40)), test=0.2), ("test",))


def test_labels_of_every_split_are_offered_in_all_rows(tmp_path: Path) -> None:
    crossner(tmp_path, train=10, dev=4)
    conll(tmp_path / "crossner" / "ai" / "test.txt", 4, 5_000, "programlang")
    splits = sources.build(recipe("crossner/ai", path=str(tmp_path)))
    offered = {tuple(sorted(json.loads(r["options"]))) for rows in splits.values() for r in rows}
    assert offered == {("person", "programming language")}


def test_sampled_options_include_gold_labels_and_test_rows_offer_all(tmp_path: Path) -> None:
    lines = [f"N{i}\tB-type{i}\nof\tO\nM{i}\tB-type{(i + 1) % 30}\n" for i in range(30)]
    for split in ("train", "test"):
        path = tmp_path / "crossner" / "ai" / f"{split}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines).replace("of", split), encoding="utf-8")
    splits = sources.build(recipe("crossner/ai", path=str(tmp_path), options={"negatives": 3, "auxiliary": []}))
    sizes = set()
    for row in splits["train"]:
        options, true = json.loads(row["options"]), schema.from_json(row["gold"]).entities
        assert {m.type for m in true} <= set(options) and len(true) == 2
        sizes.add(len(options))
    assert sizes == {5}
    assert {len(json.loads(row["options"])) for row in splits["test"]} == {30}


def test_sentences_without_relations_answer_none_and_get_no_epr_row(tmp_path: Path) -> None:
    splits = sources.build(recipe("conll04", path=str(conll04(tmp_path, 60)), options={"auxiliary_share": 1}))
    outputs = {task: {r["output"] for r in splits["train"] if r["task"] == task} for task in ("re", "epr", "ep")}
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
    ("names", "values", "message"),
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
    tmp_path: Path, names: tuple[str, ...], values: dict[str, Any], message: str
) -> None:
    crossner(tmp_path, train=9, dev=3, test=3)
    path = values.get("path", "")
    invalid = recipe(*names, **values | {"path": None if path is None else str(tmp_path / path)})
    with pytest.raises(ZooError) as caught:
        sources.build(invalid)
    assert message in str(caught.value)


def test_world_and_corpus_rows_can_be_mixed(tmp_path: Path) -> None:
    sizes = {"train": 30, "validation": 5, "test": 5}
    splits = sources.build(
        recipe("world", "crossner/ai", path=str(crossner(tmp_path, train=9, dev=3, test=3)), sizes=sizes)
    )
    assert Counter(splits["test"]["dataset"]) == {"world": 5, "crossner/ai": 3}


# --- own files


def test_own_files_are_read_into_their_splits_and_skipped_files_are_noted(tmp_path: Path) -> None:
    for number, name in enumerate(("train/1", "train/2", "dev/3", "test/4")):
        path = tmp_path / f"{name}.ann"
        path.parent.mkdir(exist_ok=True)
        path.write_text("T1\tperson 0 3\tAnn\n", encoding="utf-8")
        path.with_suffix(".txt").write_text(f"Ann {number}", encoding="utf-8")
    (tmp_path / "notes.md").write_text("x", encoding="utf-8")
    splits = sources.build(recipe("own", path=str(tmp_path), options={"auxiliary": []}))
    assert {split: len(rows) for split, rows in splits.items()} == {"train": 2, "validation": 1, "test": 1}
    assert {r["licence"] for r in splits["train"]} == {"yours"}
    assert "1 files skipped, of an unknown suffix: notes.md" in splits["train"].info.description


def test_a_single_own_file_is_cut_into_three_splits(tmp_path: Path) -> None:
    path = conll(tmp_path / "mine.bio", 200)
    built = data.build(recipe("own", path=str(path), test=0.1, validation=0.1), tmp_path / "built")
    assert all(built.card["counts"][split] for split in ("train", "validation", "test"))
    assert any("cut from its train split" in note for note in built.card["notes"])


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
    predicted = conll(tmp_path / "said.conll", 6)
    predicted.write_text(gold.read_text(encoding="utf-8").replace("Name3\tB-person", "Name3\tO"), encoding="utf-8")
    scores = api.score("uie", str(gold), str(predicted))
    figures = {(f["metric"], f["group"]): f["value"] for f in scores["figures"]}
    assert figures["F1", "ner crossner/ai"] == pytest.approx(0.8)
    plain = tmp_path / "said.txt"
    plain.write_text("\n".join(row["output"] for _, row in sources.gold(gold) or ()), encoding="utf-8")
    assert api.score("uie", str(gold), str(plain), "multiset")["figures"][0]["value"] == 1
    assert api.score("uie", str(gold), str(plain), "instructuie-legacy")["scorer"] == "instructuie-legacy"


def test_a_system_that_tags_nothing_scores_zero(tmp_path: Path) -> None:
    gold, predicted = conll(tmp_path / "gold.conll", 4), tmp_path / "said.conll"
    predicted.write_text("nobody0\tO\n\nName1\tO\nsleeps\tO\n\nnobody2\tO\n\nName3\tO\nsleeps\tO\n", encoding="utf-8")
    assert api.score("uie", str(gold), str(predicted))["figures"][0]["value"] == 0


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
    tasks_by_request = {task: [row["task"] for _, row in sources.gold(path, task) or ()] for task in ("", "ner", "epr")}
    assert tasks_by_request == {"": ["re"] * 4, "ner": ["ner"] * 4, "epr": ["epr"] * 2}
    for task, message in (
        ("ee", "the task ee; expected one of"),
        ("nerr", '--task: the task "nerr"; did you mean "ner"'),
    ):
        with pytest.raises(ZooError) as caught:
            list(sources.gold(path, task) or ())
        assert message in str(caught.value)


def test_a_file_of_rows_is_not_read_as_a_published_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"instruction": "", "input": "Ann", "output": "person: Ann"}\n', encoding="utf-8")
    assert sources.gold(path) is None


# --- the corpora themselves

PUBLISHED = sorted(corpora.CORPORA)


@pytest.mark.realdata
@pytest.mark.parametrize("name", PUBLISHED)
def test_targets_of_every_corpus_row_parse_back_to_their_gold(realdata: Path, name: str) -> None:
    """Parsing what was rendered gives the gold annotation, for every question on every sentence."""
    if not (realdata / "ie" / corpora.CORPORA[name].folder).is_dir():
        pytest.skip(f"no {name}")
    options = {"tasks": list(schema.TASKS), "per_dataset": None}
    splits = sources.build(recipe(name, path=str(realdata / "ie"), options=options))
    rows: list[Row] = [row for split in splits.values() for row in split.to_list()]
    assert {row["task"] for row in rows} == set(_expected(name))
    for row in rows:
        parsed = prompts.parse("".join(s.text for s in prompts.render(row) if s.supervised), row)
        assert not isinstance(parsed, Invalid), (row, parsed)
        assert _without_offsets(parsed.annotation) == _without_offsets(schema.from_json(row["gold"])), row


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
    """They cut a word in two; no gold answer is rejected because it repeats an element too often."""
    folder = realdata / "ie" / name
    if not all((folder / file).is_file() for file in files):
        pytest.skip(f"no {folder}")
    rows = [row for file in files for _, row in sources.gold(folder / file) or ()]
    assert (len(rows), sum(not permits(prompts.constraint(row), row["output"]) for row in rows)) == counts


def _expected(name: str) -> tuple[str, ...]:
    other_tasks = {"conll04": (*schema.ENTITY_TASKS, *schema.RELATION_TASKS), "semeval2010": schema.RELATION_TASKS}
    return other_tasks.get(name, schema.EVENT_TASKS if name == "phee" else schema.ENTITY_TASKS)


def _without_offsets(annotation: schema.Annotation) -> list[Any]:
    """An annotation without offsets, which answers do not have."""
    entities = [(m.type, m.text) for m in annotation.entities]
    relations = [(r.type, r.head.text, r.tail.text) for r in annotation.relations]
    events = [(e.type, e.trigger.text, [(m.type, m.text) for m in e.arguments]) for e in annotation.events]
    return [entities, relations, events]


@pytest.mark.realdata
def test_real_sets_share_no_item_across_splits(realdata: Path, tmp_path: Path) -> None:
    names = ("crossner/ai", "crossner/science", "wnut17", "conll04")
    if not (realdata / "ie" / "wnut17").is_dir():
        pytest.skip("no wnut17")
    built = data.build(recipe(*names, path=str(realdata / "ie")), tmp_path / "built")
    items = {split: set(rows["item"]) for split, rows in built.rows.items()}
    assert not items["train"] & (items["validation"] | items["test"]) and not items["validation"] & items["test"]
    assert any("contaminates" in drop["reason"] for drop in built.card["dropped"])
