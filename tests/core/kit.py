"""What the tests of text, models, tune and infer share: sums as rows, a plain prompt, models of 20,000 weights."""

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

torch.set_num_threads(1)  # tiny matrices: a second thread costs more than it gives, and other tests run beside

LLAMA, T5 = "scratch:llama-1x32", "scratch:t5-1x32"
LORA = {"name": "lora", "rank": 4, "alpha": 8}


class Prompts:
    """prompts.py of a domain in four lines."""

    @staticmethod
    def render(row: Row, seed: int) -> list[Segment]:
        return [Segment(f"{row['instruction']}\nAnswer: ", False), Segment(row["output"], True)]


def sums(n: int, seed: int = 0, digits: int = 2) -> list[Row]:
    """Rows of sums whose lengths differ."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        a, b = (draw.randrange(10 ** draw.randint(1, digits)) for _ in "ab")
        words = draw.choice(["What is {} + {}?", "{} + {}", "Please add {} and {}, thank you."])
        rows.append(Record(words.format(a, b), f"{a} + {b}", str(a + b), "world", "MIT").row())
    return rows


def recipe(backbone: str = LLAMA, tokenizer: str = "digits", **groups: Any) -> Recipe:
    """A recipe of few steps. groups: `train={"steps": 3}` and the like, or top-level settings."""
    train = {"steps": 12, "batch": 8, "lr": 1e-3, "warmup": 0.1, "log_every": 1, "checkpoint_minutes": 60}
    values = {"domain": "arithmetic", "name": "tried", "evaluate": {"baselines": False}}
    model = {"backbone": backbone, "tokenizer": tokenizer, "max_tokens": 128}
    model |= groups.pop("model", {})
    return Recipe.model_validate(values | {"model": model, "train": train | groups.pop("train", {})} | groups)


@dataclass
class Kit:
    """Everything that `tune.fit` takes, made from one recipe."""

    recipe: Recipe
    loaded: ModelBundle
    tuned: Any
    encoder: Encoder
    objective: Any
    parts: tune.EncodedSplits

    def fit(self, folder: Path) -> tune.State:
        return tune.fit(self.recipe, Run(folder), self.tuned, self.objective, self.parts, quiet=True)


def kit(settings: Recipe, train: Sequence[Row] | None = None, validation: Sequence[Row] = ()) -> Kit:
    """Tokenizer, backbone, method, encoder and encoded rows of a recipe."""
    rows = sums(40) if train is None else train
    texts = ["".join(s.text for s in Prompts.render(row, 0)) for row in [*rows, *validation]]
    loaded = models.load(settings.model, settings.seed, lambda: texts)
    encoder = Encoder(loaded.tokenizer, Prompts, loaded.kind, settings.model.max_tokens, settings.seed)
    tuned = adapters.apply(loaded.model, settings.method, settings.seed)
    objective = tune.choose(loaded.kind, tuned, loaded.tokenizer, settings.train)
    return Kit(settings, loaded, tuned, encoder, objective, parts(encoder, rows, validation))


def parts(encoder: Encoder, train: Sequence[Row], validation: Sequence[Row]) -> tune.EncodedSplits:
    first, second = encoder.encode_all(train), encoder.encode_all(validation)
    return tune.EncodedSplits(first, second, lengths(first).total, lengths(second).total)


def started(settings: Recipe, folder: Path) -> Path:
    """A run directory in `folder`; $INSTRUCTZOO_RUNS is not used."""
    folder.mkdir(parents=True, exist_ok=True)
    runs.write_text(folder / "recipe.yaml", settings.resolved())
    runs.write_json(folder / "manifest.json", {"state": "started", "fingerprint": settings.fingerprint()})
    return folder


def wild(model: Any, std: float = 1.0) -> None:
    """Large random weights in what is trained: a model that answers every question otherwise, without any training."""
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _, p in adapters.trainable_parameters(model):
            if p.ndim > 1:
                p.normal_(0, std, generator=draw)
    model.eval()


def answered(made: Kit, loaded: ModelBundle, n: int = 12) -> list[str]:
    """Greedy answers of at most six tokens to n sums."""
    return generate(loaded, [made.encoder.prompt(row) for row in sums(n, seed=9)], Decode(max_new_tokens=6))


def mean_loss(made: Kit) -> float:
    """Mean loss per target over the training rows."""
    made.tuned.eval()
    with torch.no_grad():
        loss, count = made.objective.loss(made.tuned, made.objective.collate(made.parts.train))
    return float(loss) / int(count)


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest difference of any weight."""
    assert one.keys() == other.keys()
    return max(float((value - other[name]).abs().max()) for name, value in one.items())


def supervised(encoded: Encoded) -> list[int]:
    return [label for label in encoded.labels if label != -100]


def states(made: Constraint) -> Iterator[State]:
    """Every state of an automaton that an answer can come by; it must have finitely many."""
    seen, waiting = {made.start()}, [made.start()]
    while waiting:
        state = waiting.pop()
        yield state
        fresh = set(made.transitions(state).values()) - seen
        seen |= fresh
        waiting += fresh
