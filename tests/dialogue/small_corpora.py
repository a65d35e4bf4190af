"""Small corpora in the layout of the published ones, made up for tests, and the rows that are built of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets

from instructzoo.core.recipe import Recipe
from instructzoo.dialogue import sources

NO_VARIATION = {"none_of_the_above": 0, "letters": 0, "instruction_selection": 0, "instruction_binary": 0}
INTENTS = ("PlayMusic", "GetWeather", "AddToPlaylist", "RateBook", "BookRestaurant")


def recipe(*names: str, path: Path, **values: Any) -> Recipe:
    data = {"sources": names, "path": str(path), **values}
    model = {"backbone": "scratch:llama-0.4m", "tokenizer": "bpe"}
    return Recipe.model_validate({"domain": "dialogue", "model": model, "data": data})


def build(*names: str, path: Path, **values: Any) -> datasets.DatasetDict:
    return sources.build(recipe(*names, path=path, **values))


def parallel(folder: Path, texts: list[str], intents: list[str], tags: list[str] | None = None) -> None:
    folder.mkdir(parents=True)
    for name, lines in (("seq.in", texts), ("label", intents), ("seq.out", tags)):
        if lines is not None:
            (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def snips(root: Path, train: int = 60, test: int = 10, shared: int = 2) -> Path:
    """Texts of two words with one slot; the first `shared` test texts stand in train too, in other spelling."""
    for split, numbers in (("train", range(train)), ("dev", range(train - shared, train - shared + test))):
        texts = [f"Play song{n}" if split == "dev" else f"play song{n}" for n in numbers]
        intents = [INTENTS[n % len(INTENTS)] for n in numbers]
        parallel(root / "intent_slot" / "snips" / split, texts, intents, ["O B-track"] * len(texts))
    return root


def clinc150(root: Path) -> Path:
    parts = {
        f"{prefix}{part}": [[f"{prefix}{part} words {n}", "oos" if prefix else f"intent_{n % 4}"] for n in range(8)]
        for prefix in ("", "oos_")
        for part in ("train", "val", "test")
    }
    (root / "intent_slot" / "clinc150").mkdir(parents=True)
    (root / "intent_slot" / "clinc150" / "data_small.json").write_text(json.dumps(parts), encoding="utf-8")
    return root


def woz2(root: Path, train: int = 30) -> Path:
    def dialogue(number: int, kind: str) -> dict[str, Any]:
        first = {"turn_idx": 0, "system_transcript": "", "transcript": f"{kind} Any Chinese place {number}?"}
        second = {
            "turn_idx": 1,
            "system_transcript": f"Which area, {number}?",
            "transcript": "I do not care. The phone, please",
        }
        food = {"act": "inform", "slots": [["food", "chinese"]]}
        area = {"act": "inform", "slots": [["area", "dontcare"]]}
        phone = {"act": "request", "slots": [["slot", "phone"]]}
        turns = [
            first | {"turn_label": [["food", "chinese"]], "belief_state": [food]},
            second | {"turn_label": [["area", "dontcare"], ["request", "phone"]], "belief_state": [food, area, phone]},
        ]
        return {"dialogue_idx": number, "dialogue": turns}

    (root / "dialogue" / "woz2").mkdir(parents=True)
    for split, n in (("train", train), ("validate", 5)):
        path = root / "dialogue" / "woz2" / f"woz_{split}_en.json"
        path.write_text(json.dumps([dialogue(number, split) for number in range(n)]), encoding="utf-8")
    return root
