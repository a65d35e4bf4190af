"""The rows that a model is scored on: the test split of its recipe, or a file of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from instructzoo.core import runs
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Record, Row
from instructzoo.core.runs import Run

if TYPE_CHECKING:
    from instructzoo.core.data import BuiltData

BASELINE_ROWS = 50_000
"""Training rows that the baselines learn from: more rows cost minutes and hardly improve their scores."""

LocatedObjects = list[tuple[str, Any]]
"""The objects of a file, each after its location (file:line)."""


class ScoredRows(NamedTuple):
    """The rows to score, and what goes with them.

    Attributes:
        test: The rows to score.
        train: The training rows that baselines learn from; None where there are none to learn from.
        origin: What scores.json says of the rows: "part" (test, or file), "data" (16 hex digits of their content),
            "paper" (published results to show beside the scores), for a file its name under "rows", and where it is
            known "trained_on" (the number of training rows and of their items, and data.train_items where it is set);
            for a fold its name under "fold".
    """

    test: list[Row]
    train: list[Row] | None
    origin: dict[str, Any]


def of_recipe(domain: Domain, folder: Path, recipe: Recipe, limit: int | None, baselines: bool) -> ScoredRows:
    """The test split of the recipe that a model was trained with.

    Args:
        domain: The domain of the model.
        folder: A run directory, or the folder of a bundled model.
        recipe: The recipe of the model.
        limit: The number of test rows, sampled by seed; None: as the recipe says.
        baselines: Whether training rows are needed too.

    Returns:
        The rows.

    Raises:
        ZooError: The test split is empty, or the recipe of a run no longer builds the rows that it was trained on.
    """
    from instructzoo.core import data
    from instructzoo.core.data.split import sampled

    is_run = Run(folder).manifest().get("data") is not None
    # The training rows of a bundled model are built only if a baseline learns from them; those of a run are compared.
    built = data.build(recipe, splits=("train", "test") if baselines or is_run else ("test",))
    check_same_data(folder, built)
    test = sampled(built.rows["test"], limit or recipe.evaluate.limit, recipe.seed, "test")
    if not test:
        raise ZooError("the test split is empty", "at least one row", "look at the data card: zoo data")
    train = sampled(built.rows["train"], BASELINE_ROWS, recipe.seed, "train") if baselines else None
    paper = [asdict(result) for result in domain.module("metrics").PAPER]
    origin = {"part": "test", "data": built.fingerprint, "paper": paper, **_trained_on(built.card, recipe)}
    if recipe.data.fold:
        origin["fold"] = recipe.data.fold
    return ScoredRows(test, train, origin)


def of_file(domain: Domain, folder: Path, recipe: Recipe, file: str, limit: int | None) -> ScoredRows:
    """The rows of a file. No published result is of these rows, and no training rows belong to them.

    Args:
        domain: The domain of the rows.
        folder: A run directory, or the folder of a bundled model.
        recipe: The recipe of the model, whose seed draws the sample.
        file: JSONL of rows with outputs, or a file in a published format that the domain reads.
        limit: The number of rows, sampled by seed; None: all.

    Returns:
        The rows. The file is named from the working directory, or by its name alone where it lies elsewhere.

    Raises:
        ZooError: The file is missing, or a row is malformed or does not say its true answer.
    """
    import pyarrow as pa

    from instructzoo.core.data.split import sample

    located, _ = gold_objects(domain, file)
    rows = [gold_row(row, where) for where, row in located]
    if domain.objective == "text":
        for (where, _), row in zip(located, rows, strict=True):
            if not row["output"].strip():
                raise ZooError("the row has no output", "the true answer, to score against", where=where)
    path = Path(file).absolute()
    name = path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name
    numbers = sample(pa.table({"row": range(len(rows))}), limit, recipe.seed, "file")["row"].to_pylist()
    card = folder / "card.json"
    trained_on = _trained_on(runs.read_object(card), recipe) if card.is_file() else {}
    origin = {"part": "file", "rows": {"file": name}, "data": runs.sha256(path)[:16], "paper": [], **trained_on}
    return ScoredRows([rows[number] for number in numbers], None, origin)


def _trained_on(card: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """The size of the training split by the data card; nothing where it was not built."""
    if "train" not in card["counts"]:
        return {}
    limit = {"limit": recipe.data.train_items} if recipe.data.train_items else {}
    return {"trained_on": {"rows": card["counts"]["train"], "items": card["items"]["train"], **limit}}


def check_same_data(folder: Path, built: BuiltData) -> None:
    """Check that a run's recipe still builds the rows that it was trained on.

    Args:
        folder: The run directory. A run whose manifest names no fingerprint passes.
        built: The rows that the recipe builds now.

    Raises:
        ZooError: The fingerprint of the rows has changed: a file or the domain's code is another one.
    """
    fingerprint = Run(folder).manifest().get("data")
    if fingerprint not in (None, built.fingerprint):
        problem = f"{folder} was trained on data {fingerprint}, and its recipe now builds {built.fingerprint}"
        raise ZooError(problem, "the same rows", "put data.path back as it was, or train again")


def gold_objects(domain: Domain, file: str, task: str = "") -> tuple[LocatedObjects, dict[str, int]]:
    """The rows of a file with their true answers, as the file gives them.

    Args:
        domain: The domain of the rows.
        file: JSONL of rows with outputs, or a file in a published format that the domain reads.
        task: The task that a file in a published format is read for; by default the format decides.

    Returns:
        Pairs of location and row, and the counted remarks of the reader of a published format.

    Raises:
        ZooError: The file is missing or malformed, or a task is named for a file of rows.
    """
    from instructzoo.core.data import read_jsonl, readers

    published = domain.module("sources").gold(readers.existing_path(file), task)
    if published is not None:
        objects = list(published)
        return objects, dict(Counter(remark for _, row in objects for remark in row.pop("remarks", ())))
    if task:
        raise ZooError(f'the task "{task}" for rows', "none: each row is of its own task", "leave it out", "--task")
    return list(read_jsonl(file)), {}


def gold_row(row: Mapping[str, Any], where: str) -> Row:
    """A validated row, with the id of the file where it gives one.

    Args:
        row: The row as the file gives it.
        where: Its location, file:line.

    Returns:
        The row with all columns that every row has.

    Raises:
        ZooError: The row is malformed.
    """
    validated = Record.from_row(row, where).row()
    return validated | ({"id": str(row["id"])} if row.get("id") is not None else {})
