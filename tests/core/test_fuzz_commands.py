"""What zoo score and zoo predict are given is scored, answered or refused; no file of theirs ends in a traceback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fuzzing import fuzzed, mutated, reads_or_refuses, time_limit
from hypothesis import strategies as st

from instructzoo.core import domain as domains
from instructzoo.core.answers.inputs import ROW_KEY, read_items
from instructzoo.core.commands import predict
from instructzoo.core.commands.score import score

QUICK, SLOW = 10, 250

NER = {"task": "ner", "options": ["person", "city"], "given": "", "dataset": "x"}
GOLD = {"entities": [["person", "Ann", 0, 3], ["city", "Oslo", 13, 17]]}
QUAD = {"aspect": "wine", "category": "drinks quality", "opinion": "Great", "sentiment": "positive"}
ROWS: Mapping[str, list[dict[str, Any]]] = {
    "uie": [
        NER | {"instruction": "Find.", "input": "Ann lives in Oslo", "output": "", "gold": json.dumps(GOLD)},
        {"instruction": "", "input": "Ann hit Bo.", "task": "eea", "options": ["who"], "given": "attack", "gold": "{}"},
        {"instruction": "", "input": "Ann", "task": "ee", "options": {"events": ["a"], "roles": ["b"]}, "gold": "{}"},
        {"instruction": "", "input": "Ann hit", "task": "epr", "options": ["hit"], "given": [["a", "b"]], "gold": "{}"},
    ],
    "absa": [
        {"instruction": "Find.", "input": "Great wine", "output": "", "task": "asqp", "gold": json.dumps([QUAD])},
        {"instruction": "Find.", "input": "Ok", "output": "", "task": "ae", "gold": "[]", "domain": "restaurant"},
    ],
    "arithmetic": [
        {"instruction": "Add.", "input": "1 + 2", "output": "1 + 2 = 3", "answer": "3", "operation": "add"},
        {"instruction": "Add 3 and 4.", "input": "3 + 4", "output": "7"},
    ],
    "dialogue": [
        {"instruction": "", "input": "[CONTEXT] [RESPONSE] hi", "output": "greet", "options": ["greet", "book"]},
        {"instruction": "Fill.", "input": "[CONTEXT] Where? [RESPONSE] in Oslo", "output": "city: Oslo",
         "task": "slot_filling", "options": ["city", "day"]},
        {"instruction": "", "input": "[CONTEXT] any day", "output": "day: any", "task": "belief_state_generation",
         "options": '["day"]', "values": {"day": ["any"]}},
        {"instruction": "", "input": "[CONTEXT] hi", "output": "hello", "task": "response_generation",
         "references": ["hi"]},
        {"instruction": "", "input": "[RESPONSE] hi", "output": "no", "task": "slot_present", "options": ["yes", "no"],
         "names": {"slot": "city"}},
    ],
}  # fmt: skip
ANSWERS = {
    "dialogue": "city: Oslo; day: Friday",
    "uie": "person: Ann; city: Oslo",
    "absa": "wine: positive",
    "arithmetic": "1 + 2 = 3",
}


def lines_of(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def fuzz_score(domain: str, folder: Path, examples: int) -> None:
    rows = ROWS[domain]
    gold, pred = folder / "gold.jsonl", folder / "pred.jsonl"
    answers = [{"prediction": ANSWERS[domain]} for _ in rows]
    with_ids = [[{"id": str(n)} | row for n, row in enumerate(of)] for of in (rows, answers)]
    valid = [(lines_of(rows), lines_of(answers)), (lines_of(with_ids[0]), lines_of(with_ids[1]))]
    gold.write_bytes(valid[0][0])
    pred.write_bytes(valid[0][1])
    score(domain, str(gold), str(pred))
    pairs = st.one_of(
        *(st.tuples(mutated([g]), st.just(p)) for g, p in valid),
        *(st.tuples(st.just(g), mutated([p])) for g, p in valid),
    )

    @fuzzed(st.tuples(pairs, st.sampled_from(["", ".txt"]), st.sampled_from(["", "nonsense", "ner"])), examples)
    def scores(drawn: tuple[tuple[bytes, bytes], str, str]) -> None:
        (gold_content, pred_content), suffix, task = drawn
        gold.write_bytes(gold_content)
        said = pred.with_suffix(suffix or ".jsonl")
        said.write_bytes(pred_content)
        reads_or_refuses(lambda: score(domain, str(gold), str(said), task=task if task == "nonsense" else ""))

    scores()


def fuzz_questions(domain: str, folder: Path, examples: int) -> None:
    path = folder / "questions.jsonl"
    prompts = domains.get(domain).module("prompts")

    def answer() -> None:
        for _, row in predict._located(read_items(str(path), ROW_KEY)):
            "".join(segment.text for segment in prompts.render(row, 0)).encode()
            prompts.parse(ANSWERS[domain], row)

    path.write_bytes(lines_of(ROWS[domain]))
    answer()

    @fuzzed(mutated([lines_of(ROWS[domain])]), examples)
    def answers(content: bytes) -> None:
        path.write_bytes(content)
        reads_or_refuses(answer)

    answers()


def fuzz_resumed_output(folder: Path, examples: int) -> None:
    row = ROWS["arithmetic"][0]
    path = folder / "said.jsonl"
    model_file = folder / "said.jsonl.from.json"
    valid_model, valid_output = json.dumps({"model": "a"}).encode(), lines_of([row | {"prediction": "3"}])
    drawn = st.one_of(
        st.tuples(mutated([valid_model]), st.just(valid_output)),
        st.tuples(st.just(valid_model), mutated([valid_output])),
    )

    @fuzzed(drawn, examples)
    def resumes(contents: tuple[bytes, bytes]) -> None:
        model_file.write_bytes(contents[0])
        path.write_bytes(contents[1])
        reads_or_refuses(lambda: predict._resume(path, "a", iter([("x:1", row), ("x:2", row)])))

    resumes()


def fuzz_answers(domain: str, examples: int) -> None:
    prompts = domains.get(domain).module("prompts")
    answers = mutated([ANSWERS[domain].encode()])

    @fuzzed(st.tuples(st.sampled_from(ROWS[domain]), answers), examples)
    def parses(drawn: tuple[dict[str, Any], bytes]) -> None:
        row, answer = drawn[0], drawn[1].decode("utf-8", "replace")
        with_defaults = {"source": "x", "licence": "x", "output": "", "item": "x", "id": "x", "dataset": "x"} | row
        with time_limit():
            prompts.parse(answer, with_defaults)  # never an error: an answer that means nothing is Invalid

    parses()


@pytest.mark.parametrize("domain", ROWS)
def test_files_of_zoo_score_are_scored_or_refused(tmp_path: Path, domain: str) -> None:
    fuzz_score(domain, tmp_path, QUICK)


@pytest.mark.parametrize("domain", ROWS)
def test_questions_of_zoo_predict_are_asked_or_refused(tmp_path: Path, domain: str) -> None:
    fuzz_questions(domain, tmp_path, QUICK)


def test_an_output_that_is_resumed_is_checked(tmp_path: Path) -> None:
    fuzz_resumed_output(tmp_path, QUICK)


@pytest.mark.parametrize("domain", ROWS)
def test_any_text_is_an_answer_or_invalid(domain: str) -> None:
    fuzz_answers(domain, QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("domain", ROWS)
def test_thousands_of_inputs_of_zoo_score_and_zoo_predict_are_taken_or_refused(tmp_path: Path, domain: str) -> None:
    fuzz_score(domain, tmp_path, SLOW)
    fuzz_questions(domain, tmp_path, 4 * SLOW)
    fuzz_answers(domain, 4 * SLOW)
    fuzz_resumed_output(tmp_path, 2 * SLOW)


def test_a_carriage_return_within_an_answer_moves_no_other_answer(tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").write_bytes(lines_of(ROWS["arithmetic"]))
    (tmp_path / "said.txt").write_bytes(b"4\r5\n3 + 4 = 7\r\n")
    scores = score("arithmetic", str(tmp_path / "gold.jsonl"), str(tmp_path / "said.txt"))
    assert (scores["n"], scores["counts"]["unanswered"], scores["figures"][0]["value"]) == (2, 0, 0.5)


def test_null_in_a_column_of_text_is_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"instruction": "Add.", "input": "1 + 2", "output": null, "x": null}\n')
    ((_, row),) = predict._located(read_items(str(tmp_path / "a.jsonl"), ROW_KEY))
    assert row == {"instruction": "Add.", "input": "1 + 2", "output": "", "x": None}
