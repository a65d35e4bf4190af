"""Where arithmetic rows come from. Every row names its source and licence; its answer is checked by Python's integers.

    world      rows of the microworld for all three parts, as many as data.sizes says, drawn by data.world
    corpus     the paper's whole training set of 1,746,300 rows, written anew; split by item
    goat       the published rows of Goat (arXiv:2305.14201), or your own rows of that form; split by item
               {"instruction": "What is 3+4?", "input": "3 + 4", "output": "3 + 4 = 7", "answer": "7"}
    bigbench   the arithmetic task of BIG-bench (arXiv:2206.04615); a benchmark, so its rows are test rows only
               {"examples": [{"input": "What is 3 plus 4?", "target": "7"}]}

goat and bigbench are read from data.path (a file or a folder; with both of them, a folder with one folder each), else
from the hub. This is the one module of the package that may touch the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.arithmetic import prompts, world
from instructzoo.arithmetic.world import examples as writing
from instructzoo.arithmetic.world.phrasing import SIGNS
from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.data import read, readers
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Invalid, Row, row_id

if TYPE_CHECKING:
    import datasets

SOURCES = {"world": world.SPLITS, "corpus": ("train",), "goat": ("train",), "bigbench": ("test",)}
"""Every source, and the parts that it has; a part that no source has is cut out of train."""

PUBLISHED = ("goat", "bigbench")
LICENCE = "Apache-2.0"
"""Of the world, of tiedong/goat by its hub card, and of the BIG-bench repository."""

GOAT = "tiedong/goat"
BIGBENCH, BIGBENCH_TASK, PARQUET = "tasksource/bigbench", "arithmetic", "refs/convert/parquet"
"""The hub's copy of BIG-bench; it came as a script, so its converted branch is tried where that does not open."""

_OPERATIONS = {sign: operation for operation, sign in SIGNS.items()} | {"x": "multiply", "×": "multiply", "÷": "divide"}
_OPERATIONS |= {
    "plus": "add",
    "minus": "subtract",
    "times": "multiply",
    "multiplied by": "multiply",
    "divided by": "divide",
}
_SIGN = "|".join(sorted(map(re.escape, _OPERATIONS), key=len, reverse=True))
_EXPRESSION = re.compile(rf"(-?\d+)\s*({_SIGN})\s*(-?\d+)", re.IGNORECASE)


class Settings(recipes.Settings):
    """The sources have nothing to set beyond data.path, data.sizes and data.world."""


def gold(path: Path, task: str = "") -> None:
    """No published format is scored as it is: `zoo score` reads rows. Raises ZooError for a task."""
    if task:
        raise ZooError(f'the task "{task}"', "none: rows of arithmetic are one task", where="--task")


def build(recipe: Recipe, parts: Sequence[str] = world.SPLITS) -> datasets.DatasetDict:
    """The raw parts of recipe.data.sources, one after the other.

    parts: those that are needed; where the sources have them all and train is not among them, the others are not made.
    Raises ZooError for an unknown source, for a file that is missing or malformed (with its line), for a row whose
    answer is wrong, and where the hub cannot be reached.
    """
    import datasets

    if unknown := [name for name in recipe.data.sources if name not in SOURCES]:
        raise ZooError(f'no source "{unknown[0]}"', suggest(unknown[0], SOURCES), where="data.sources")
    recipes.validate_part(Settings, recipe.data.options, "data.options")
    had = {part for name in recipe.data.sources for part in SOURCES[name]}
    wanted = set(parts) if set(parts) <= had - {"train"} else set(world.SPLITS)
    found: dict[str, list[datasets.Dataset]] = {}
    for name in recipe.data.sources:
        if wanted & set(SOURCES[name]):
            for part, rows in _parts(name, recipe, wanted).items():
                found.setdefault(part, []).append(rows)
    return datasets.DatasetDict({part: datasets.concatenate_datasets(pieces) for part, pieces in found.items()})


def _parts(name: str, recipe: Recipe, wanted: set[str]) -> dict[str, datasets.Dataset]:
    """The wanted parts of one source."""
    from instructzoo.core.data.tables import dataset

    if name == "world":
        settings = recipes.validate_part(world.Settings, recipe.data.world, "data.world")
        sizes = {part: n for part, n in recipe.data.sizes.model_dump().items() if part in wanted}
        return {part: dataset(world.generate(n, recipe.seed, part, settings)) for part, n in sizes.items()}
    if name == "corpus":
        return {"train": _corpus(recipe.seed)}
    if name == "goat":
        return {"train": dataset(_goat(_local(name, recipe)))}
    return {"test": dataset(_bigbench(_local(name, recipe)))}


def _corpus(seed: int) -> datasets.Dataset:
    import datasets
    import pyarrow as pa

    from instructzoo.arithmetic.world.goat_dataset import corpus

    return datasets.Dataset(pa.concat_tables(corpus(seed)))


def _local(name: str, recipe: Recipe) -> Path | None:
    """Where the files of a published source lie; none: on the hub."""
    if recipe.data.path is None:
        return None
    path = readers.existing(recipe.data.path, folder=True)
    if set(PUBLISHED) <= set(recipe.data.sources):
        return readers.existing(path / name, folder=True)
    return path


def _goat(path: Path | None) -> Iterator[Row]:
    for where, values in _hub(GOAT) if path is None else (pair for file in readers.files(path) for pair in read(file)):
        texts = {name: _text(values, name, where) for name in ("instruction", "input", "output")}
        published = values.get("answer")
        yield _row(texts, "" if published is None else str(published), "goat", where)


def _bigbench(path: Path | None) -> Iterator[Row]:
    for where, values in _hub(BIGBENCH, BIGBENCH_TASK) if path is None else _examples(path):
        question = _text(values, "inputs" if path is None else "input", where)
        answer = _target(values, where)
        yield _row({"instruction": question.strip(), "input": question, "output": answer}, answer, "bigbench", where)


def _examples(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The examples of a task file, or of all task files of a folder; other JSON files of a folder are passed over."""
    found = False
    for file in readers.files(path):
        task = runs.read_json(file) if file.suffix == ".json" else None
        if not isinstance(task, dict) or "examples" not in task:
            continue
        if not isinstance(task["examples"], list):
            found_instead = type(task["examples"]).__name__
            raise ZooError(f'"examples" is {found_instead}', "a list of objects", "mend the file", str(file))
        for number, example in enumerate(task["examples"], 1):
            found = True
            yield f"{file}, example {number}", example
    if not found:
        raise ZooError(
            "no examples", 'a BIG-bench task: {"examples": [...]}', "point data.path at task.json", str(path)
        )


def _target(values: Mapping[str, Any], where: str) -> str:
    """The published answer: `target` (or the first of `targets`), or the best of `target_scores`."""
    target = values.get("target", values.get("targets"))
    if isinstance(target, list) and target:
        target = target[0]
    scores = values.get("target_scores")
    if target is None and isinstance(scores, Mapping) and scores:
        if not all(isinstance(score, int | float) for score in scores.values()):
            raise ZooError('a score in "target_scores" is no number', "a number for each", "mend the row", where)
        target = max(scores, key=lambda text: scores[text])
    if not isinstance(target, str | int):
        raise ZooError("no answer", '"target" or "target_scores"', "check that this is a BIG-bench task", where)
    return str(target).strip()


def _row(texts: dict[str, str], published: str, source: str, where: str) -> Row:
    """A published row with its clean input and the columns that follow from it.

    Raises ZooError where the published answer or the output that is learnt gives another number than Python's integers,
    both read leniently ("2 R 0" is 2). A division by 0 may have any published answer that is no number.
    """
    match = _EXPRESSION.search(texts["input"])
    if not match or len(re.findall(r"\d+", texts["input"])) != 2:
        found = f'no problem in "{texts["input"][:60]}"'
        raise ZooError(found, "two whole numbers and a sign, such as 12 + 34", "mend or remove the row", where)
    if (size := max(len(match[1]), len(match[3]))) > writing.LONGEST:
        found = f"a number of {size:,} digits"
        raise ZooError(found, f"at most {writing.LONGEST:,}", "mend or remove the row", where)
    left, right, operation = int(match[1]), int(match[3]), _OPERATIONS[match[2].casefold()]
    answer = writing.solve(operation, left, right)
    if not _says(published, answer, unread=answer == writing.UNDEFINED):
        raise ZooError(f'answer "{_tail(published)}" to {match[0]}', f'"{answer}"', "mend or remove the row", where)
    if not _says(texts["output"], answer):
        found = f'output "{_tail(texts["output"])}" to {match[0]}'
        raise ZooError(found, f'one that ends in "{answer}"', "mend or remove the row", where)
    sign = SIGNS[operation]
    pair = sorted((left, right)) if operation in ("add", "multiply") else [left, right]
    row: Row = texts | {"input": f"{left} {sign} {right}", "source": source, "licence": LICENCE}
    row |= {"answer": answer, "operation": operation, "item": f"{operation} {pair[0]} {pair[1]}"}
    row["digits"] = f"{len(str(abs(left)))}D{sign}{len(str(abs(right)))}D"
    row["id"] = row_id(row["instruction"], row["input"], row["output"])
    return row


def _says(text: str, answer: str, unread: bool = False) -> bool:
    """Whether a published text, read leniently, gives the answer. unread: what is said of a text that gives none.

    An empty text passes: without an answer the output is what counts, and `data.clean` counts rows without output.
    """
    if not text.strip():
        return True
    said = prompts.parse(text, {}, lenient=True)
    return unread if isinstance(said, Invalid) else said.value == answer


def _tail(text: str, most: int = 60) -> str:
    return text if len(text) <= most else "..." + text[-most:]


def _text(values: Mapping[str, Any], name: str, where: str) -> str:
    if not isinstance(values, Mapping) or not isinstance(values.get(name), str):
        raise ZooError(f'no text "{name}"', f'an object with "{name}"', "mend or remove the row", where)
    return str(values[name])


def _hub(name: str, config: str | None = None) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """(place, row) of all parts of a hub dataset. Raises ZooError where it cannot be had."""
    import datasets

    reasons = []
    for revision in (None, PARQUET):
        try:
            parts = datasets.load_dataset(name, config, revision=revision)
        except Exception as error:  # noqa: BLE001 - whatever hub and network raise, the way out is the same
            reasons.append(f"{type(error).__name__}: {error}")
            continue
        return ((f"{name}, {part} row {n}", row) for part in parts for n, row in enumerate(parts[part], 1))
    raise ZooError(f"cannot load {name} from the hub ({reasons[0][:200]})", "a network", "or pass data.path=FILE")
