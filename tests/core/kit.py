"""Shared by the tests of text, models, tune and infer: sums as rows, a plain prompt, models of 20,000 weights."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from instructzoo.core import models, runs, tune
from instructzoo.core.infer import generate
from instructzoo.core.infer.grammar import Constraint, State
from instructzoo.core.models import ModelBundle, adapters
from instructzoo.core.recipe import Decode, Recipe
from instructzoo.core.record import Record, Row, Segment
from instructzoo.core.runs import Run
from instructzoo.core.text import Encoded, Encoder, lengths

torch.set_num_threads(1)  # for tiny matrices a second thread costs more than it gives, and other tests run at once

LLAMA, T5 = "scratch:llama-1x32", "scratch:t5-1x32"
LORA = {"name": "lora", "rank": 4, "alpha": 8}


class Prompts:
    """The prompts module of a domain in four lines."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        return [Segment(f"{row['instruction']}\nAnswer: ", False), Segment(row["output"], True)]


def sums(n: int, seed: int = 0, digits: int = 2) -> list[Row]:
    """Return n rows of sums whose lengths differ, with numbers of up to `digits` digits."""
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        a, b = (rng.randrange(10 ** rng.randint(1, digits)) for _ in "ab")
        template = rng.choice(["What is {} + {}?", "{} + {}", "Please add {} and {}, thank you."])
        rows.append(Record(template.format(a, b), f"{a} + {b}", str(a + b), "world", "MIT").row())
    return rows


def recipe(backbone: str = LLAMA, tokenizer: str = "digits", **groups: Any) -> Recipe:
    """Return a recipe of few steps; groups: `train={"steps": 3}` and the like, or top-level settings."""
    train = {"steps": 12, "batch": 8, "lr": 1e-3, "warmup": 0.1, "log_every": 1, "checkpoint_minutes": 60}
    values = {"domain": "arithmetic", "name": "tried", "evaluate": {"baselines": False}}
    model = {"backbone": backbone, "tokenizer": tokenizer, "max_tokens": 128}
    model |= groups.pop("model", {})
    return Recipe.model_validate(values | {"model": model, "train": train | groups.pop("train", {})} | groups)


@dataclass
class Kit:
    """Everything that `tune.fit` takes, built from one recipe: the untuned bundle, and the model to tune."""

    recipe: Recipe
    bundle: ModelBundle
    model: Any
    encoder: Encoder
    objective: Any
    splits: tune.EncodedSplits

    def fit(self, folder: Path) -> tune.State:
        """Train in a run directory."""
        return tune.fit(self.recipe, Run(folder), self.model, self.objective, self.splits, quiet=True)


def kit(settings: Recipe, train: Sequence[Row] | None = None, validation: Sequence[Row] = ()) -> Kit:
    """Build tokenizer, backbone, tuning method, encoder and encoded rows of a recipe."""
    rows = sums(40) if train is None else train
    texts = ["".join(s.text for s in Prompts.render(row, 0)) for row in [*rows, *validation]]
    bundle = models.load(settings.model, settings.seed, lambda: texts)
    encoder = Encoder(bundle.tokenizer, Prompts, bundle.kind, settings.model.max_tokens, settings.seed)
    model = adapters.apply(bundle.model, settings.method, settings.seed)
    objective = tune.choose(bundle.kind, model, bundle.tokenizer, settings.train)
    encoded, encoded_validation = encoder.encode_all(rows), encoder.encode_all(validation)
    splits = tune.EncodedSplits(encoded, encoded_validation, lengths(encoded).total, lengths(encoded_validation).total)
    return Kit(settings, bundle, model, encoder, objective, splits)


def started(settings: Recipe, folder: Path) -> Path:
    """Make `folder` a run directory that has just been started; $INSTRUCTZOO_RUNS is not used."""
    folder.mkdir(parents=True, exist_ok=True)
    runs.write_text(folder / "recipe.yaml", settings.resolved())
    runs.write_json(folder / "manifest.json", {"state": "started", "fingerprint": settings.fingerprint()})
    return folder


def wild(model: Any, std: float = 1.0) -> None:
    """Give the trainable matrices large random weights: an untrained model that answers every question differently."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _, p in adapters.trainable_parameters(model):
            if p.ndim > 1:
                p.normal_(0, std, generator=generator)
    model.eval()


def greedy_answers(setup: Kit, bundle: ModelBundle, n: int = 12) -> list[str]:
    """Return greedy answers of at most six tokens to n sums."""
    return generate(bundle, [setup.encoder.prompt(row) for row in sums(n, seed=9)], Decode(max_new_tokens=6))


def mean_loss(setup: Kit) -> float:
    """Return the mean loss per target over the training rows."""
    setup.model.eval()
    with torch.no_grad():
        loss, num_targets = setup.objective.loss(setup.model, setup.objective.collate(setup.splits.train))
    return float(loss) / int(num_targets)


def weights(model: Any) -> dict[str, torch.Tensor]:
    """Return a copy of all parameters by name."""
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Whether both have the same tensors bit for bit."""
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


def max_difference(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    """Return the largest absolute difference between any two weights of the same name."""
    assert first.keys() == second.keys()
    return max(float((value - second[name]).abs().max()) for name, value in first.items())


def supervised(encoded: Encoded) -> list[int]:
    """Return the supervised token ids."""
    return [label for label in encoded.labels if label != -100]


def states(constraint: Constraint) -> Iterator[State]:
    """Yield every state of an automaton that an answer can reach; there must be finitely many."""
    seen, queue = {constraint.start()}, [constraint.start()]
    while queue:
        state = queue.pop()
        yield state
        new_states = set(constraint.transitions(state).values()) - seen
        seen |= new_states
        queue += new_states
