"""How corpora become rows: splits without shared items, options on offer, weights, and errors that name the file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pytest
from small_corpora import NO_VARIATION, build, clinc150, parallel, snips, woz2

from instructzoo.core.errors import ZooError
from instructzoo.dialogue import sources
from instructzoo.dialogue.data.corpora import CORPORA


def items(rows: datasets.Dataset) -> set[str]:
    return set(rows["item"])


def of_task(rows: datasets.Dataset, task: str) -> datasets.Dataset:
    return rows.filter(lambda row: row["task"] == task)


def test_no_utterance_is_in_two_splits_whatever_its_spelling(tmp_path: Path) -> None:
    splits = build("snips", path=snips(tmp_path), validation=0.2)
    assert not items(splits["train"]) & items(splits["test"])
    assert not items(splits["train"]) & items(splits["validation"])
    assert not items(splits["validation"]) & items(splits["test"])
    assert len(items(splits["test"])) == 10
    assert "left out that stand in a test split" in "".join(splits[split].info.description for split in splits)


def test_a_test_utterance_of_one_corpus_is_no_training_row_of_another(tmp_path: Path) -> None:
    snips(tmp_path)
    parallel(tmp_path / "intent_slot" / "hwu64" / "train_10", ["play song61", "wake me"], ["music", "alarm"])
    parallel(tmp_path / "intent_slot" / "hwu64" / "test", ["stop it", "stop"], ["music", "alarm"])
    train = build("snips", "hwu64", path=tmp_path, validation=0)["train"]
    assert {row["item"] for row in train if row["source"] == "hwu64"} == {"wake me"}


def test_labels_are_offered_as_words_and_test_rows_offer_all_of_them_in_one_order(tmp_path: Path) -> None:
    test = of_task(build("snips", path=snips(tmp_path))["test"], "intent_classification")
    assert set(test["options"]) == {
        json.dumps(["add to playlist", "book restaurant", "get weather", "play music", "rate book"])
    }


def test_training_rows_offer_some_options_with_the_right_one_in_an_order_that_is_drawn(tmp_path: Path) -> None:
    few = {"all": 0.2, "at_least": 2, "at_most": 3}
    options = {"tasks": ["intent_classification"], "options": few, "variation": NO_VARIATION}
    train = build("snips", path=snips(tmp_path, train=400), options=options)["train"]
    offered = [json.loads(row["options"]) for row in train]
    assert all(row["output"] in options for row, options in zip(train, offered, strict=True))
    sizes = Counter(len(options) for options in offered)
    assert set(sizes) == {2, 3, 5} and 0.1 < sizes[5] / len(train) < 0.3
    assert len({options.index(row["output"]) for row, options in zip(train, offered, strict=True)}) == 5


def test_weights_say_how_often_a_question_stands_in_training_and_never_in_test(tmp_path: Path) -> None:
    options = {
        "tasks": ["intent_classification", "slot_filling"],
        "weights": {"snips": 2},
        "task_weights": {"slot_filling": 0.25},
    }
    splits = build("snips", path=snips(tmp_path, train=400), options=options)
    tasks, texts = Counter(splits["train"]["task"]), len(items(splits["train"]))
    assert tasks["intent_classification"] == 2 * texts
    assert 0.4 < tasks["slot_filling"] / texts < 0.6
    assert Counter(splits["test"]["task"]) == {"intent_classification": 10, "slot_filling": 10}


def test_a_question_that_stands_more_than_once_has_other_wordings_or_options_and_another_id(tmp_path: Path) -> None:
    options = {"tasks": ["intent_classification"], "weights": {"snips": 4}, "variation": NO_VARIATION}
    train = build("snips", path=snips(tmp_path), options=options)["train"]
    assert len(set(train["id"])) == len(train)
    wordings: dict[str, set[str]] = {}
    for row in train:
        wordings.setdefault(row["item"], set()).add(row["instruction"])
    assert {len(texts) for texts in wordings.values()} == {4}


def test_the_rows_of_a_recipe_are_equal_each_time(tmp_path: Path) -> None:
    snips(tmp_path)
    first, second = (build("snips", path=tmp_path)["train"].to_list() for _ in range(2))
    assert first == second


def test_utterances_out_of_scope_are_a_data_set_of_their_own_and_none_of_the_above_is_always_on_offer(
    tmp_path: Path,
) -> None:
    test = of_task(build("clinc150", path=clinc150(tmp_path))["test"], "intent_classification")
    outside = [row for row in test if row["dataset"] == "clinc150 out of scope"]
    assert len(outside) == 8 and {row["output"] for row in outside} == {"none of the above"}
    assert len(test) == 16 and all("none of the above" in json.loads(row["options"]) for row in test)


def test_states_list_informed_slots_and_offer_the_values_that_no_dialogue_spells_out(tmp_path: Path) -> None:
    test = of_task(build("woz2", path=woz2(tmp_path))["test"], "belief_state_generation")
    assert set(test["output"]) == {"food: chinese", "area: dontcare; food: chinese"}
    assert json.loads(test[0]["options"]) == ["area", "food"]
    assert json.loads(test[0]["values"]) == {"area": ["dontcare"], "food": ["chinese"]}


def test_all_questions_on_a_dialogue_are_in_one_split(tmp_path: Path) -> None:
    splits = build("woz2", path=woz2(tmp_path), validation=0.3)
    by_item = {split: items(splits[split]) for split in splits}
    assert len(by_item["train"]) + len(by_item["validation"]) == 30
    assert not by_item["train"] & by_item["validation"]
    assert {len(of_task(splits["test"], task)) for task in ("belief_state_generation",)} == {10}


def test_what_the_system_has_requested_stands_before_the_message(tmp_path: Path) -> None:
    turns = [
        {
            "userInput": {"text": f"{n} of us"},
            "context": {"requestedSlots": ["party_size"]},
            "labels": [{"slot": "party_size", "valueSpan": {"endIndex": len(str(n))}}],
        }
        for n in range(20)
    ]
    folder = tmp_path / "restaurant8k"
    folder.mkdir()
    (folder / "train_3.json").write_text(json.dumps(turns), encoding="utf-8")
    test = of_task(build("restaurant8k", path=folder, test=0.2)["test"], "slot_filling")
    assert test[0]["input"].startswith("[ACT] request party size [CONTEXT] [RESPONSE] ")
    assert test[0]["output"].startswith("party size: ")


def test_only_the_test_split_of_a_source_that_is_held_out_is_used(tmp_path: Path) -> None:
    clinc150(snips(tmp_path))
    splits = build("snips", "clinc150", path=tmp_path, options={"held_out": ["clinc150"]})
    assert set(splits["train"]["source"]) == {"snips"}
    assert set(splits["test"]["source"]) == {"snips", "clinc150"}


def test_a_development_split_can_be_training_data(tmp_path: Path) -> None:
    clinc150(tmp_path)
    for use, n in (("validation", 16), ("train", 32)):
        splits = build("clinc150", path=tmp_path, validation=0, options={"development": use})
        assert len(of_task(splits["train"], "intent_classification")) == n


def test_labels_that_become_the_same_words_are_an_error(tmp_path: Path) -> None:
    parallel(tmp_path / "train", ["one", "two"], ["play_music", "PlayMusic"])
    with pytest.raises(ZooError, match="play music"):
        build("snips", path=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tasks": ["intent_clasification"]}, "intent_classification"),
        ({"tasks": ["summarization"]}, "feeds none of summarization"),
        ({"weights": {"sniips": 2}}, "snips"),
        ({"held_out": ["atis"]}, "atis"),
        ({"task_weights": {"atis:slot_filling": 2}}, "atis"),
    ],
)
def test_settings_that_name_nothing_are_an_error(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        build("snips", path=snips(tmp_path), options=options)


def own(folder: Path, lines: list[dict[str, Any]], name: str = "train.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return folder


def test_own_dialogues_feed_what_their_annotation_answers(tmp_path: Path) -> None:
    lines = [
        {
            "turns": [
                {"role": "user", "text": f"I lost card {n}", "intent": ("lost card", "block card")[n % 2]},
                {"role": "assistant", "text": f"Card {n} is blocked."},
            ],
            "summary": f"Card {n} was lost.",
        }
        for n in range(40)
    ]
    splits = build("own", path=own(tmp_path, lines), test=0.2, options={"variation": NO_VARIATION})
    tasks = {"intent_classification", "intent_present", "response_generation", "summarization"}
    assert {*splits["train"]["task"]} == {*splits["test"]["task"]} == tasks
    assert {*splits["train"]["licence"]} == {"yours"}
    named = build("own", path=tmp_path, options={"tasks": ["eval_ranking"], "variation": NO_VARIATION})
    assert {*named["train"]["task"]} == {"eval_ranking"}


def test_own_dialogues_of_one_speaker_or_in_no_order_of_roles_are_taken_as_they_are(tmp_path: Path) -> None:
    roles = (("user", "user", "user"), ("system", "user"), ("user", "system", "system", "user"))
    lines = [
        {"turns": [{"role": role, "text": f"{role} {n} {i}"} for i, role in enumerate(roles[n % 3])]} for n in range(30)
    ]
    train = build("own", path=own(tmp_path, lines), test=0, validation=0)["train"]
    assert {*train["task"]} == {"response_generation"} and len(train) == 30


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"turns": [{"role": "alien", "text": "Hi"}]}, "alien"),
        ({"turns": [{"role": "user", "text": ""}]}, "text"),
        ({"turns": []}, "turn"),
        ({"turns": [{"role": "user", "text": "Hi [ENDOFTURN] you"}, {"role": "user", "text": "Oh"}]}, "ENDOFTURN"),
        ({"turns": [{"role": "user", "text": "Hi [OPTIONS] you"}, {"role": "user", "text": "Oh"}]}, "OPTIONS"),
    ],
)
def test_malformed_own_dialogues_are_an_error_with_file_and_line(
    tmp_path: Path, line: dict[str, Any], message: str
) -> None:
    good = {"turns": [{"role": "user", "text": "Hello"}]}
    with pytest.raises(ZooError, match=message) as error:
        build("own", path=own(tmp_path, [good, line]), validation=0, test=0)
    assert "train.jsonl:2" in str(error.value)


def test_a_dialogue_of_ten_thousand_turns_is_cut_at_the_caps_and_the_card_counts_it(tmp_path: Path) -> None:
    turns: list[dict[str, Any]] = [{"role": ("user", "assistant")[i % 2], "text": f"turn {i}"} for i in range(10_000)]
    for turn in turns[::20]:
        turn["acts"] = ["say"]
    other = [{"turns": [{"role": "user", "text": f"Hi {n}", "acts": ["greet"]}]} for n in range(3)]
    options = {"tasks": ["act_classification"], "variation": NO_VARIATION}
    train = build("own", path=own(tmp_path, [{"turns": turns}, *other]), validation=0, test=0, options=options)["train"]
    assert len(train) == 503
    assert max(row["input"].count("[ENDOFTURN]") for row in train) == 19
    assert "498 questions with a dialogue or text cut" in train.info.description


def test_a_file_of_a_known_format_is_gold_for_scoring(tmp_path: Path) -> None:
    snips(tmp_path)
    path = tmp_path / "intent_slot" / "snips" / "dev" / "seq.in"
    rows = list(sources.gold(path) or ())
    assert len(rows) == 10 and {row["task"] for _, row in rows} == {"intent_classification"}
    assert rows[0][0].endswith("seq.in:1")
    assert {row["task"] for _, row in sources.gold(path, "slot_filling") or ()} == {"slot_filling"}
    with pytest.raises(ZooError, match="summarization"):
        list(sources.gold(path, "summarization") or ())
    (tmp_path / "rows.jsonl").write_text('{"instruction": "Choose", "input": "x", "output": "y"}\n', encoding="utf-8")
    assert sources.gold(tmp_path / "rows.jsonl") is None


@pytest.mark.realdata
def test_the_corpora_of_intents_slots_and_states_become_rows_whose_items_are_in_one_split(realdata: Path) -> None:
    names = [name for name, corpus in CORPORA.items() if (realdata / corpus.folder).is_dir()]
    names = [name for name in names if name not in ("dialogstudio", "oasst")]
    tasks = ["intent_classification", "slot_filling", "belief_state_generation"]
    splits = build(*names, path=realdata, test=0.1, options={"tasks": tasks, "variation": NO_VARIATION})
    test = splits["test"].to_pandas()
    sizes = {name: len(group) for name, group in test[test.task == "intent_classification"].groupby("dataset")}
    assert sizes["snips"] == 700 and sizes["atis"] == 893 and sizes["clinc150 out of scope"] == 1_000
    assert 850 < sizes["banking77"] < 1_150
    seen = [set(splits[split]["item"]) for split in ("train", "validation", "test")]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    state = test[(test.task == "belief_state_generation") & (test.source == "woz2")]
    assert set(state.options) == {json.dumps(["area", "food", "price range"])}
