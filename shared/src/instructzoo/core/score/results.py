"""The content of scores.json, checked."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter

from instructzoo.core.domain import PublishedResult
from instructzoo.core.errors import ZooError
from instructzoo.core.score.types import MetricValue, Scores


@dataclass(frozen=True)
class Results:
    """The checked content of scores.json.

    Attributes:
        domain: Name of the domain.
        recipe: Name of the recipe.
        split: The data split that was scored (stored under "part"); "file" for the rows of a file.
        rows_file: The file of these rows.
        trained_on: The number of training rows ("rows") and of their items ("items"), where it is known, and
            data.train_items ("limit"), where it is set.
        scorer: Name of the scorer.
        n: Number of rows.
        systems: Scores of the model and of the baselines, by system.
        variants: Scores of the model by the other scorers of its domain, by scorer.
        paired: Comparisons of the model with each system on the same rows, by system.
        paper: Published results.
        command: The command that made the scores.
        backbone: Name of the model's backbone.
        left_out: Baselines that could not be scored, with the reason.
        runs: The number of runs that the values are means of.
        fold: The fold that was scored, such as 2/5; "all" for means over all folds.
    """

    domain: str
    recipe: str
    split: str
    scorer: str
    n: int
    systems: Mapping[str, Scores]
    variants: Mapping[str, Scores]
    paired: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    paper: tuple[PublishedResult, ...] = ()
    command: str = ""
    backbone: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    runs: int = 1
    rows_file: str = ""
    trained_on: Mapping[str, int] = field(default_factory=dict)
    fold: str = ""

    @property
    def scored_rows(self) -> str:
        """The rows in words: the split and its size, or the file."""
        if self.fold:
            return f"{'folds' if self.fold == 'all' else f'fold {self.fold}'} of the training part, {self.n:,} rows"
        if not self.rows_file:
            return f"{self.split} split, {self.n:,} rows"
        return f"{self.n:,} rows of `{self.rows_file}`"

    @property
    def model(self) -> Scores:
        """The scores of the model itself."""
        return self.systems["model"]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "scores.json") -> Results:
        """Check the content of a scores.json.

        Args:
            values: The parsed file.
            where: The path that errors name.

        Returns:
            The results.

        Raises:
            ZooError: A field is missing or malformed, or the model has no values.
        """
        try:
            systems = {name: Scores.from_dict(scores) for name, scores in values["systems"].items()}
            if not systems["model"].metric_values:
                raise ZooError("the model has no figures", "at least one", "zoo eval writes them", where)
            variants = [value for value in values.values() if isinstance(value, dict) and "figures" in value]
            results = cls(
                domain=str(values["domain"]),
                recipe=str(values["recipe"]),
                split=str(values.get("part", "test")),
                scorer=str(values["scorer"]),
                n=int(values["n"]),
                systems=systems,
                variants={str(scores["scorer"]): Scores.from_dict(scores) for scores in variants},
                paired=dict(values.get("paired") or {}),
                paper=tuple(PublishedResult(**result) for result in values.get("paper") or ()),
                command=str(values.get("command", "")),
                backbone=str(values.get("backbone", "")),
                left_out=dict(values.get("left_out") or {}),
                rows_file=str((values.get("rows") or {}).get("file", "")),
                trained_on=dict(values.get("trained_on") or {}),
                fold=str(values.get("fold", "")),
            )
            _results_type().validate_python(asdict(results))
            return results
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise ZooError(f"malformed scores ({reason})", "the content that zoo eval writes", where=where) from error

    def notes(self) -> list[str]:
        """Sentences that belong below the tables."""
        return [f"The baseline {name} was left out: {reason}." for name, reason in self.left_out.items()]

    def best_baseline(self) -> tuple[str, MetricValue] | None:
        """The baseline with the highest headline value, and that value; None without baselines.

        The model without its grammar does not count as a baseline.
        """
        headline = self.model.headline_value()
        candidates = [
            (name, value)
            for name, scores in self.systems.items()
            if name not in ("model", "unconstrained") and (value := scores.get(headline.metric, headline.group))
        ]
        return max(candidates, key=lambda candidate: candidate[1].value) if candidates else None


@functools.cache
def _results_type() -> TypeAdapter[Results]:
    """Checks that all values of the results are of the types that their fields name."""
    return TypeAdapter(Results)
