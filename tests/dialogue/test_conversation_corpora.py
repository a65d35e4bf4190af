"""Published conversations as sources: each feeds the task types that the table of corpora names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_corpora import build

NAMES = ("Ann", "Bo", "Cem", "Dora", "Eve", "Finn", "Gus", "Hana", "Ida", "Jon")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def convai2(root: Path) -> None:
    for part, names in (("train", NAMES), ("valid", ("Kim", "Lea"))):
        lines = (
            f"1 your persona: i am {name}.\n2 hello , are you {name} ?\tyes , {name} is my name .\t\tno|yes\n"
            f"3 and do you like jazz , {name} ?\ti sing it every day , says {name} .\n"
            for name in names
        )
        write(root / "dialogue" / "convai2" / f"{part}_self_original.txt", "".join(lines))


def dailydialog(root: Path) -> None:
    for part, names in (("train", NAMES), ("validation", ("Kim",)), ("test", ("Lea", "Max"))):
        folder = root / "dialogue" / "dailydialog" / part
        said = (f"Hi , {name} . __eou__ Who is {name} ? __eou__ Stop it , {name} ! __eou__" for name in names)
        write(folder / f"dialogues_{part}.txt", "\n".join(said))
        write(folder / f"dialogues_act_{part}.txt", "1 2 3\n" * len(names))
        write(folder / f"dialogues_emotion_{part}.txt", "0 6 1\n" * len(names))


def samsum(root: Path) -> None:
    for part, names in (("train", NAMES), ("val", ("Kim",)), ("test", ("Lea",))):
        rows = [{"id": n, "dialogue": f"{n}: I am late\r\nZoe: Fine, {n}", "summary": f"{n} is late."} for n in names]
        write(root / "dialogue" / "samsum" / f"{part}.json", json.dumps(rows))


def dialogsum(root: Path) -> None:
    for part, names in (("train", NAMES), ("dev", ("Kim",)), ("test", ("Lea",))):
        rows: list[dict[str, Any]] = [
            {
                "fname": n,
                "dialogue": f"#Person1#: I am {n}\n#Person2#: Hi {n}",
                "summary": f"{n} comes.",
                "topic": "visit",
            }
            for n in names
        ]
        write(root / "dialogue" / "dialogsum" / f"dialogsum.{part}.jsonl", "\n".join(map(json.dumps, rows)))


def oasst(root: Path) -> None:
    def tree(name: str) -> dict[str, Any]:
        reply = {"message_id": "2", "role": "assistant", "text": f"Hello, {name}!", "replies": []}
        prompt = {"message_id": "1", "role": "prompter", "text": f"I am {name}", "replies": [reply, reply]}
        return {"message_tree_id": name, "tree_state": "ready_for_export", "prompt": prompt}

    write(root / "instructions" / "oasst" / "ready.trees.jsonl", "\n".join(json.dumps(tree(name)) for name in NAMES))


@pytest.mark.parametrize(
    ("corpus", "tasks"),
    [
        (convai2, {"persona_grounded_generation", "response_generation"}),
        (dailydialog, {"act_classification", "act_generation", "emotion_tagging", "response_generation"}),
        (samsum, {"summarization"}),
        (dialogsum, {"summarization"}),
        (oasst, {"response_generation"}),
    ],
)
def test_a_corpus_of_conversations_feeds_its_task_types(
    tmp_path: Path, corpus: Callable[[Path], None], tasks: set[str]
) -> None:
    corpus(tmp_path)
    splits = build(corpus.__name__, path=tmp_path, validation=0.2, test=0.2)
    assert tasks <= set(splits["train"]["task"])
    assert all(len(splits[split]) > 0 for split in ("train", "validation", "test"))
    assert set(splits["train"]["source"]) == {corpus.__name__}


def test_dailydialogs_questions_have_its_labels(tmp_path: Path) -> None:
    dailydialog(tmp_path)
    test = build("dailydialog", path=tmp_path)["test"]
    acts = [row for row in test if row["task"] == "act_classification"]
    assert {row["output"] for row in acts} <= {"inform", "question", "directive"} and acts
    assert {row["output"] for row in test if row["task"] == "emotion_tagging"} <= {"no emotion", "surprise", "anger"}


def test_what_is_left_out_of_a_corpus_is_on_the_card(tmp_path: Path) -> None:
    oasst(tmp_path)
    notes = build("oasst", path=tmp_path, validation=0.2, test=0.2)["train"].info.description
    assert "oasst, train: 10 replies beside a better one, left out with all that follows them" in notes
