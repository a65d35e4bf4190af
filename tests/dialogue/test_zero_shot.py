"""The zero-shot and few-shot protocol: what is held out is in no training row, and a split that leaks is an error."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from small_corpora import build, clinc150, woz2

from instructzoo.core import recipe as recipes
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.dialogue.protocols.zero_shot import ZeroShot, check, evenly, few_shot_rows

HELD_OUT = {"tasks": ["eval_ranking", "beginswith_controlled_generation"], "kin": ["eval_binary"]}


def row(task: str, item: str, output: str = "yes", dataset: str = "woz2") -> Row:
    return {"task": task, "item": item, "output": output, "dataset": dataset, "source": dataset, "id": f"{task} {item}"}


def test_training_has_no_row_of_task_types_held_out_or_their_kin_and_the_test_part_has_the_former_only(
    tmp_path: Path,
) -> None:
    splits = build("woz2", path=woz2(tmp_path), options={"zero_shot": HELD_OUT})
    for split in ("train", "validation"):
        assert not {*HELD_OUT["tasks"], *HELD_OUT["kin"]} & set(splits[split]["task"])
    assert set(splits["test"]["task"]) == set(HELD_OUT["tasks"])
    assert "belief_state_generation" in set(splits["train"]["task"])


def test_no_instruction_of_a_task_type_held_out_is_shown_by_a_meta_task(tmp_path: Path) -> None:
    train = build("woz2", path=woz2(tmp_path), options={"zero_shot": HELD_OUT})["train"]
    meta = [row for row in train if row["task"] in ("instruction_selection", "instruction_binary")]
    assert meta and not any("initial phrase" in row["input"] + row["options"] for row in meta)


def test_a_data_set_held_out_is_tested_on_all_of_its_tasks(tmp_path: Path) -> None:
    clinc150(woz2(tmp_path))
    options = {"held_out": ["clinc150"], "zero_shot": HELD_OUT}
    splits = build("woz2", "clinc150", path=tmp_path, options=options)
    assert "clinc150" not in {*splits["train"]["source"], *splits["validation"]["source"]}
    tested = Counter(zip(splits["test"]["source"], splits["test"]["task"], strict=True))
    assert tested["clinc150", "intent_classification"] == 16
    assert tested["woz2", "eval_ranking"] and not tested["woz2", "belief_state_generation"]


def test_few_shot_adds_so_many_rows_of_each_task_type_held_out(tmp_path: Path) -> None:
    options = {"zero_shot": {**HELD_OUT, "few_shot": 5}}
    train = Counter(build("woz2", path=woz2(tmp_path), options=options)["train"]["task"])
    assert train["eval_ranking"] == train["beginswith_controlled_generation"] == 5
    assert not train["eval_binary"]


def test_few_shot_rows_have_every_answer_and_then_each_data_set_in_turn() -> None:
    common = [row("intent_classification", f"a{n}", "book", "large") for n in range(90)]
    rare = [row("intent_classification", "b", "play", "large"), row("intent_classification", "c", "book", "small")]
    chosen = few_shot_rows([*common, *rare], 10, seed=0)
    assert len(chosen) == len({row["id"] for row in chosen}) == 10
    assert {row["output"] for row in chosen} == {"book", "play"}
    assert "small" in {row["dataset"] for row in chosen}


def test_a_test_part_takes_each_data_set_in_turn() -> None:
    rows = [row("eval_ranking", str(n), dataset="large") for n in range(50)]
    rows += [row("eval_ranking", f"s{n}", dataset="small") for n in range(3)]
    assert Counter(row["dataset"] for row in evenly(rows, 8)) == {"large": 5, "small": 3}


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (row("eval_ranking", "x"), "1 training rows of eval_ranking"),
        (row("eval_rating", "x"), "kin"),
        (row("deal_present", "x"), "kin|none"),
        (row("intent_present", "x", dataset="banking77"), "training rows of banking77"),
        (row("intent_present", "tested"), "in training and test"),
    ],
)
def test_a_training_row_that_leaks_is_an_error(train: Row, message: str) -> None:
    settings = ZeroShot(tasks=("eval_ranking",), kin=("deal_present",))
    check([row("intent_present", "other")], [row("eval_ranking", "tested")], settings, ["banking77"])
    with pytest.raises(ZooError, match=message):
        check([train], [row("eval_ranking", "tested")], settings, ["banking77"])


def test_kin_that_the_recipe_forgets_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="eval_binary"):
        build("woz2", path=woz2(tmp_path), options={"zero_shot": {"tasks": ["eval_ranking"]}})


def test_the_recipe_holds_out_what_instructdial_holds_out() -> None:
    options: dict[str, Any] = recipes.load("dialogue/zero-shot").data.options
    assert len(options["zero_shot"]["tasks"]) == len(options["zero_shot"]["kin"]) == 6
    assert options["held_out"] == ["banking77"]


def test_copies_of_a_data_set_held_out_are_no_training_rows_either(tmp_path: Path) -> None:
    folder = clinc150(tmp_path) / "dialogue" / "instructdial"
    folder.mkdir(parents=True)
    prompt = "Instruction: Choose.\nInput: [RESPONSE] word {} [ENDOFDIALOGUE] [OPTIONS] book||||play [QUESTION] Which"
    rows = [
        {"task": "intent_classification", "dataset": name, "output": "book", "prompt": prompt.format(f"{name} {n}")}
        for name in ("intent-clinc", "dailydialog")
        for n in range(20)
    ]
    (folder / "sample_text2text.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    splits = build("clinc150", "instructdial", path=tmp_path, options={"held_out": ["clinc150"]})
    assert {*splits["train"]["dataset"]} == {"instructdial/dailydialog"}
    assert "20 left out, copies of a data set that is held out" in splits["train"].info.description


@pytest.mark.realdata
@pytest.mark.slow
def test_the_zero_shot_recipe_builds_from_the_corpora_without_a_leak(realdata: Path) -> None:
    recipe = recipes.load("dialogue/zero-shot", [f"data.path={realdata}"])
    splits = build(*recipe.data.sources, path=realdata, options=recipe.data.options, test=0.1)
    tested = Counter(splits["test"]["task"])
    assert tested["eval_ranking"] and tested["answer_selection"] and tested["beginswith_controlled_generation"]
    assert max(tested[task] for task in recipe.data.options["zero_shot"]["tasks"]) <= 500
    assert not set(splits["train"]["item"]) & set(splits["test"]["item"])
    assert "banking77" not in set(splits["train"]["source"])
