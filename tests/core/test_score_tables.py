"""Result tables name a paper only where there are published results."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.report import results_table
from instructzoo.core.score import MetricValue, Scores
from instructzoo.core.score.tables import (
    Results,
    Table,
    groups_table,
    narrow_tables,
    published_groups_table,
    systems_table,
    unmeasured_table,
)

PUBLISHED = {"metric": "exact match", "group": "addition", "value": 0.5, "system": "theirs", "source": "table 1"}


def scores_json(paper: list[dict[str, Any]]) -> dict[str, Any]:
    """The content of scores.json: a model and a baseline, over all rows and over one group."""

    def system(value: float) -> dict[str, Any]:
        figures = [
            {"metric": "exact match", "group": group, "value": value, "low": value - 0.05, "high": value + 0.05, "n": n}
            for group, n in (("all", 200), ("addition", 100))
        ]
        return {"scorer": "strict", "figures": figures, "headline": ["exact match", "all"], "notes": [], "counts": {}}

    setup = {"domain": "units", "recipe": "tiny", "part": "test", "scorer": "strict", "n": 200, "backbone": "b"}
    gain = {"difference": 0.8, "low": 0.7, "high": 0.9, "p": 0.0004}
    return (
        setup
        | {"systems": {"model": system(0.9), "constant": system(0.1)}, "paired": {"constant": gain}}
        | {
            "paper": paper,
            "command": "zoo eval units",
        }
    )


def test_tables_of_a_scorer_survive_scores_json_and_are_left_out_where_there_are_none() -> None:
    table = Table(("label", "n"), (("sing", "7"),), "By label")
    scores = Scores("strict", (MetricValue("F1", 0.5, 0.4, 0.6, 7),), tables=(table,))
    assert Scores.from_dict(json.loads(json.dumps(scores.as_dict()))) == scores
    assert "tables" not in replace(scores, tables=()).as_dict()
    damaged = scores_json([])
    damaged["systems"]["model"]["tables"] = [{"head": ["label"]}]
    with pytest.raises(ZooError, match="malformed scores"):
        Results.from_dict(damaged)


def test_a_page_without_published_results_names_no_paper() -> None:
    page = results_table(scores_json([]))
    assert "By group, strict scorer:" in page
    assert not {"paper", "published", "Beside", "beside"} & set(page.replace(",", " ").replace(":", " ").split())


def test_published_results_of_a_measured_group_stand_in_its_row() -> None:
    page = results_table(scores_json([PUBLISHED]))
    assert "(table 1)" in page and "By group" not in page
    results = Results.from_dict(scores_json([PUBLISHED]))
    assert published_groups_table(results).rows == (("addition", "100", "90.0 [85.0, 95.0]", "50.0"),)
    assert unmeasured_table(results).rows == ()


def test_published_results_of_other_groups_are_shown_apart() -> None:
    results = Results.from_dict(scores_json([PUBLISHED | {"group": "division"}]))
    assert published_groups_table(results).rows == ()
    assert groups_table(results).rows == (("addition", "100", "90.0 [85.0, 95.0]"),)
    assert unmeasured_table(results).rows == (("division", "50.0"),)


@pytest.mark.parametrize("paper", [[], [PUBLISHED | {"group": "all"}]])
def test_the_gain_over_each_system_is_shown_with_its_interval(paper: list[dict[str, Any]]) -> None:
    table = systems_table(Results.from_dict(scores_json(paper)))
    assert table.head == ("system", "scorer", "exact match, %", "gain over this system", "n")
    gains = {row[0]: row[3] for row in table.rows}
    assert gains["this model"] == "–"
    assert gains["most frequent training output"] == "80.0 [70.0, 90.0], p < 0.001"
    assert ("theirs (published)" in gains) == bool(paper)


def test_a_wide_table_is_split_by_columns_that_share_rows_and_keeps_every_row() -> None:
    head = ("group", "n", "accuracy", *(f"f{i}" for i in range(4)), *(f"s{i}" for i in range(4)))
    plain = ("all", "9", "1", *"––––", *"––––")
    labels = ("intents", "5", "2", *"1234", *"––––")
    slots = ("slots", "4", "3", *"––––", *"56–8")
    first, second, third = narrow_tables(Table(head, (labels, plain, slots)))
    assert first.rows == (plain[:3],)
    assert (second.head, second.rows) == (head[:7], (labels[:7],))
    assert (third.head, third.rows) == ((*head[:3], "s0", "s1", "s3"), (("slots", "4", "3", "5", "6", "8"),))
    narrow = Table(head[:5], (plain[:5],))
    assert narrow_tables(narrow) == [narrow]
