"""Options of many questions are scored over their shared beginning exactly as each question is scored alone."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, kit, recipe, sums, wild

from instructzoo.core.errors import ZooError
from instructzoo.core.infer import log_likelihoods, shared_prefix
from instructzoo.core.infer.choice_scoring import choose_each, score_each
from instructzoo.core.infer.generate import generate_ids
from instructzoo.core.infer.option_tree import OptionTree
from instructzoo.core.recipe import Decode

MANY = [f"{a}{b}" for a in range(1, 10) for b in range(10)]
FEW = ["5", "51", "512", "no answer", "?"]


def built(backbone: str = LLAMA, **groups: Any) -> Kit:
    setup = kit(recipe(backbone, **groups))
    wild(setup.model, 0.4)
    return setup


def questions(setup: Kit, n: int) -> list[list[int]]:
    return [setup.encoder.prompt(row) for row in sums(n, seed=7)]


def likeliest(scores: list[float]) -> int:
    return max(range(len(scores)), key=scores.__getitem__)


@pytest.mark.parametrize("backbone", [LLAMA, T5])
@pytest.mark.parametrize("batch_tokens", [1, 900, 10**6])
def test_options_score_as_they_do_alone_whatever_the_batch(backbone: str, batch_tokens: int) -> None:
    setup = built(backbone)
    prompts = questions(setup, 12)
    options = [FEW if i % 3 else MANY[:7] for i in range(12)]
    scores = score_each(setup.bundle, prompts, options, batch_tokens=batch_tokens)
    for prompt, of_row, options_of_row in zip(prompts, scores, options, strict=True):
        assert of_row == pytest.approx(log_likelihoods(setup.bundle, prompt, options_of_row), abs=1e-3)


@pytest.mark.parametrize("sharpness", [0.02, 0.4, 2.0])
def test_the_likeliest_option_is_found_although_few_options_are_read(sharpness: float) -> None:
    setup = kit(recipe())
    wild(setup.model, sharpness)  # the flatter the distribution, the more options must be read
    prompts = questions(setup, 20)
    expected = [likeliest(scores) for scores in score_each(setup.bundle, prompts, [MANY] * 20)]
    assert choose_each(setup.bundle, prompts, [MANY] * 20) == expected


def test_only_the_likeliest_options_are_read_where_they_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = kit(recipe())
    wild(setup.model, 4.0)  # sure of its answers, of which two tokens are an option here
    prompts = questions(setup, 20)
    answers = generate_ids(setup.bundle, prompts, Decode(max_new_tokens=2), stop=None)
    targets = [[answer, *([token, 0] for token in range(10, 60))] for answer in answers if len(answer) == 2]
    prompts = [prompt for prompt, answer in zip(prompts, answers, strict=True) if len(answer) == 2]
    read: list[int] = []
    original = shared_prefix._Pass.read

    def counted(self: Any, rows: list[int], trees: list[OptionTree]) -> list[list[float]]:
        read.extend(len(tree.paths) for tree in trees)
        return original(self, rows, trees)

    monkeypatch.setattr(shared_prefix._Pass, "read", counted)
    scorer = shared_prefix.for_model(setup.bundle, 8192)
    assert scorer is not None
    assert scorer.best(prompts, targets) == [0] * len(prompts)
    assert len(prompts) > 10
    assert sum(read) < 0.5 * sum(map(len, targets))


def test_questions_with_one_beginning_read_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = built()
    beginning = questions(setup, 1)[0]
    prompts = [[*beginning, token] for token in range(5, 15)]
    columns: list[int] = []
    forward = setup.bundle.model.forward

    @functools.wraps(forward)
    def counted(*args: Any, **kwargs: Any) -> Any:
        columns.append(kwargs["input_ids"].numel())
        return forward(*args, **kwargs)

    monkeypatch.setattr(setup.bundle.model, "forward", counted)
    scores = score_each(setup.bundle, prompts, [["5", "6"]] * 10)
    assert len(scores) == 10
    assert columns == [len(beginning), 10, 20]  # the beginning; the last token of each prompt; two options of each


def test_adapters_and_float16_sized_batches_change_nothing() -> None:
    setup = built(method=LORA)
    prompts = questions(setup, 6)
    bundle = setup.bundle.__class__(setup.model, setup.bundle.tokenizer, setup.bundle.kind)
    alone = [log_likelihoods(bundle, prompt, FEW) for prompt in prompts]
    for of_row, expected in zip(score_each(bundle, prompts, [FEW] * 6), alone, strict=True):
        assert of_row == pytest.approx(expected, abs=1e-3)


def test_progress_counts_every_question_once() -> None:
    setup = built()
    prompts, seen = questions(setup, 9), list[int]()
    choose_each(setup.bundle, prompts, [FEW] * 9, batch_tokens=200, on_chosen=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 9


def test_a_tree_shares_the_beginnings_of_options() -> None:
    tree = OptionTree.of([[1, 2, 9], [1, 3, 9], [1, 9], [2, 9]])
    assert tree.tokens[1:] == [1, 2, 3, 2]
    assert tree.depths[1:] == [1, 2, 2, 1]
    assert tree.sees().tolist() == [
        [True, False, False, False],
        [True, True, False, False],
        [True, False, True, False],
        [False, False, False, True],
    ]
    assert tree.paths[2] == [(0, 1), (1, 9)]


def test_an_empty_prompt_or_option_is_an_error() -> None:
    setup = built()
    with pytest.raises(ZooError, match="an empty prompt"):
        choose_each(setup.bundle, [[]], [FEW])
    with pytest.raises(ZooError, match="an empty option"):
        choose_each(setup.bundle, questions(setup, 1), [["5", ""]])
    assert choose_each(setup.bundle, [], []) == []


def test_a_model_that_gives_no_numbers_is_an_error() -> None:
    setup = built()
    with torch.no_grad():
        next(setup.bundle.model.parameters()).fill_(float("nan"))
    with pytest.raises(ZooError, match="logits that are not numbers"):
        score_each(setup.bundle, questions(setup, 2), [FEW] * 2)
