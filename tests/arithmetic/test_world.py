"""The made-up world of arithmetic: its rows are true, its splits disjoint, its corpus independent of the workers."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import first_wrong, split_of

from instructzoo.arithmetic import world
from instructzoo.arithmetic.problem import OPERATIONS, DigitPair, Problem
from instructzoo.arithmetic.world.synthesis import Style, goat_dataset, phrasing, problem_arrays, row_writer
from instructzoo.arithmetic.world.synthesis.problem_arrays import ProblemArrays
from instructzoo.core import record
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import validate_settings

COUNTS = Path(__file__).parents[3] / "shared/data/arithmetic/goat/template_counts.json"
TINY = {"operations": ["add", "subtract"], "sums": 2}
BUNDLED = {"sums": 5, "products": [2, 2], "divisions": [4, 1]}
PAPER = ["1D+1D", "16D+8D", "16D-16D", "5D*5D", "1Dx16D", "4Dx8D", "6D*6D", "16D/1D", "6D/3D", "12D/6D", "2D/2D"]


def settings(**values: Any) -> world.Settings:
    validated: world.Settings = validate_settings(world.Settings, values, "data.world")
    return validated


def problems(*triples: tuple[str, int, int]) -> ProblemArrays:
    columns = zip(*((OPERATIONS.index(o), a, b) for o, a, b in triples), strict=True)
    return ProblemArrays(*(np.array(column, np.int64) for column in columns))


def write_row(operation: str, left: int, right: int, **style: bool) -> dict[str, str]:
    problem = problems((operation, left, right))
    columns, _ = row_writer.write_rows(problem, np.random.default_rng(0), Style(**style))
    return {name: values[0] for name, values in columns.items()}


@pytest.mark.parametrize("values", [{}, TINY, BUNDLED, {"cells": PAPER}, {**BUNDLED, "steps": False}])
@pytest.mark.parametrize("split", SPLITS)
def test_no_row_is_wrong_or_lacks_a_column(values: dict[str, Any], split: str) -> None:
    rows = list(world.generate(400, 3, split, settings(**values)))
    assert len(rows) == 400
    for row in rows:
        left, sign, right = row["input"].split(" ")
        a, b = int(left), int(right)
        if sign == "/":
            truth = "undefined" if b == 0 else f"{a // b} R {a % b}" if a % b else str(a // b)
        else:
            truth = str({"+": a + b, "-": a - b, "*": a * b}[sign])
        assert row["answer"] == truth
        assert row["output"].endswith((f"= {truth}", f"is {truth}"))
        assert first_wrong(row["output"]) is None
        assert row["digits"] == f"{len(left)}D{sign}{len(right)}D"
        assert row["id"] == record.row_id(row["instruction"], row["input"], row["output"])
        assert set(row) == set(goat_dataset.COLUMNS)
        assert row["item"].split()[0] == row["operation"]
        assert Problem(row["operation"], a, b).split == split


@pytest.mark.parametrize("values", [TINY, BUNDLED])
def test_no_problem_is_in_two_splits_across_seeds(values: dict[str, Any]) -> None:
    items = [{r["item"] for r in world.generate(1500, seed, s, settings(**values))} for seed, s in enumerate(SPLITS)]
    assert not items[0] & items[1] and not items[0] & items[2] and not items[1] & items[2]


@pytest.mark.parametrize("operation", ["add", "multiply"])
def test_commuted_problems_are_one_item_in_one_split(operation: str) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 10**8, (2, 2000))
    code = np.full(2000, OPERATIONS.index(operation))
    splits = problem_arrays.assign_splits(ProblemArrays(code, left, right))
    assert (splits == problem_arrays.assign_splits(ProblemArrays(code, right, left))).all()
    assert write_row(operation, 12, 34)["item"] == write_row(operation, 34, 12)["item"]


def test_the_order_of_a_difference_is_part_of_the_problem() -> None:
    assert write_row("subtract", 12, 34)["item"] != write_row("subtract", 34, 12)["item"]
    splits = [(Problem("subtract", a, b).split, Problem("subtract", b, a).split) for a in range(30) for b in range(a)]
    assert any(x != y for x, y in splits)


def test_the_vectorized_split_hash_equals_that_of_python_integers() -> None:
    drawn = problem_arrays.draw_problems(
        [DigitPair.parse(name) for name in PAPER], np.arange(3000) % len(PAPER), np.random.default_rng(1), 0.5
    )
    triples = zip(*(values.tolist() for values in drawn), strict=True)
    drawn_problems = [Problem(OPERATIONS[code], left, right) for code, left, right in triples]
    splits = problem_arrays.assign_splits(drawn).tolist()
    assert splits == [problem.split for problem in drawn_problems]
    assert splits == [split_of(*problem) for problem in drawn_problems]


def test_the_splits_have_shares_of_88_4_and_8_percent() -> None:
    left, right = (x.ravel() for x in np.meshgrid(np.arange(300), np.arange(300)))
    code = np.full(left.shape, problem_arrays.SUBTRACT)
    counts = Counter(problem_arrays.assign_splits(ProblemArrays(code, left, right)).tolist())
    shares = {split: n / len(left) for split, n in counts.items()}
    assert shares == pytest.approx({"train": 0.88, "validation": 0.04, "test": 0.08}, abs=0.004)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_held_out_split_that_is_too_small_neither_repeats_nor_hangs(split: str) -> None:
    small = settings(cells=["1D+1D", "1D-1D", "2D-1D"])
    items = [row["item"] for row in world.generate(10**6, 0, split, small)]
    assert len(items) == len(set(items))
    every = {("add", *sorted((a, b))) for a in range(10) for b in range(10)}
    every |= {("subtract", a, b) for a in range(100) for b in range(10)}
    assert set(items) == {f"{o} {a} {b}" for o, a, b in every if Problem(o, a, b).split == split}


def test_a_seed_gives_the_same_rows_and_fewer_rows_are_the_first_of_more() -> None:
    many = list(world.generate(5000, 7, "train", settings(**BUNDLED)))
    assert list(world.generate(10, 7, "train", settings(**BUNDLED))) == many[:10]
    assert list(world.generate(10, 8, "train", settings(**BUNDLED))) != many[:10]
    assert list(world.generate(0, 7, "train")) == []


@pytest.mark.parametrize("name", PAPER)
def test_a_digit_pair_of_the_paper_table_yields_only_its_own_digits(name: str) -> None:
    rows = list(world.generate(200, 0, "test", settings(cells=[name], by_zero=0.0)))
    assert {row["digits"] for row in rows} == {name.replace("x", "*")}
    for row in rows:
        if row["operation"] == "divide" and not name.endswith("/1D"):
            assert len(row["answer"].split(" R ")[0]) <= 6


def test_settings_cover_exactly_their_digit_pairs_and_weights() -> None:
    digits = {row["digits"] for row in world.generate(4000, 0, "train", settings(**BUNDLED, by_zero=0.0))}
    sums = {f"{i}D{sign}{j}D" for i in range(1, 6) for j in range(1, 6) for sign in "+-"}
    assert digits == sums | {f"{i}D*{j}D" for i in (1, 2) for j in (1, 2)} | {f"{i}D/1D" for i in (1, 2, 3, 4)}
    shares = settings(sums=2, operations=["add", "subtract"], weights={"add": 3}, growth=10).digit_pairs()
    assert sum(share for pair, share in shares.items() if pair.operation == "add") == pytest.approx(0.75)
    assert shares[DigitPair("add", 2, 2)] == pytest.approx(100 * shares[DigitPair("add", 1, 1)])


def test_settings_that_would_be_ignored_are_refused() -> None:
    for values, message in [
        ({"cells": ["8D+"]}, "is no digit pair"),
        ({"cells": ["13D/6D"]}, "beyond the limits"),
        ({"cells": ["7D*6D"]}, "beyond the limits"),
        ({"cells": ["17D+1D"]}, "beyond the limits"),
        ({"cells": ["1D+1D"], "growth": 2}, "beside growth"),
        ({"operations": ["add"], "weights": {"divide": 2}}, "weights names divide"),
        ({"sums": 17}, "data.world"),
        ({"growth": 1e300}, "data.world.growth = 1e\\+300|growth = 1e\\+300"),
        ({"growth": 1e-200}, "growth = 1e-200"),
        ({"cells": {"1D+1D": 1e308, "2D+2D": 1e308}}, "1e\\+308"),
        ({"weights": {"add": 5e-324}, "operations": ["add"]}, "5e-324"),
        ({"sum": 3}, "did you mean"),
    ]:
        with pytest.raises(ZooError, match=message):
            settings(**values)
    with pytest.raises(ZooError, match="did you mean"):
        list(world.generate(1, 0, "tests"))


@pytest.mark.parametrize("growth", [0.01, 100])
def test_every_growth_within_its_bounds_draws_rows(growth: float) -> None:
    assert sum(settings(growth=growth).digit_pairs().values()) == pytest.approx(1)
    assert len(list(world.generate(20, 0, "test", settings(growth=growth)))) == 20


def test_a_long_product_is_written_in_the_documented_form() -> None:
    assert write_row("multiply", 397, 4429)["output"] == (
        "397 * 4429 = 4429 * (300 + 90 + 7) = 4429 * 300 + 4429 * 90 + 4429 * 7"
        " = 1328700 + 398610 + 31003 = 1727310 + 31003 = 1758313"
    )
    assert write_row("multiply", 409, 50)["output"] == "409 * 50 = 20450"  # one factor has one non-zero digit
    assert write_row("multiply", 400, 53)["output"] == "400 * 53 = 21200"
    assert write_row("multiply", 45, 12)["output"] == "45 * 12 = 45 * (10 + 2) = 45 * 10 + 45 * 2 = 450 + 90 = 540"
    assert write_row("multiply", 111, 101)["output"].startswith("111 * 101 = 111 * (100 + 1) = ")
    assert write_row("multiply", 12, 34, product_steps=False)["output"] == "12 * 34 = 408"
    assert write_row("multiply", 0, 34)["output"] == "0 * 34 = 0"


def test_a_long_division_is_written_in_the_documented_form() -> None:
    assert write_row("divide", 8914, 64)["output"].splitlines() == [
        "8914 - 64 * 100 = 8914 - 6400 = 2514",
        "2514 - 64 * 30 = 2514 - 1920 = 594",
        "594 - 64 * 9 = 594 - 576 = 18",
        "Therefore, 8914 / 64 = 139 R 18",
    ]
    assert write_row("divide", 909, 9)["output"].splitlines() == [
        "909 - 9 * 100 = 909 - 900 = 9",
        "9 - 9 * 1 = 9 - 9 = 0",
        "Therefore, 909 / 9 = 101",
    ]
    assert write_row("divide", 909, 9, short_division=False)["output"] == "909 / 9 = 101"
    assert write_row("divide", 64, 64)["output"] == "64 / 64 = 1"
    assert write_row("divide", 5, 64)["output"] == "5 / 64 = 0 R 5"
    assert write_row("divide", 5, 0)["output"] == "5 / 0 is undefined"
    assert write_row("divide", 8914, 64, division_steps=False)["output"] == "8914 / 64 = 139 R 18"


def test_the_oracle_detects_every_wrong_step() -> None:
    long = write_row("multiply", 397, 4429)["output"]
    for old, new in [
        ("300 + 90", "300 + 80"),
        ("4429 * 90", "4429 * 91"),
        ("398610", "398611"),
        ("1727310", "1727311"),
    ]:
        assert first_wrong(long) is None
        assert first_wrong(long.replace(old, new)) is not None
    division = write_row("divide", 8914, 64)["output"]
    for old, new in [("2514\n", "2515\n"), ("594 - 576", "594 - 577"), ("R 18", "R 19"), (" = 139", " = 138")]:
        assert first_wrong(division.replace(old, new, 1)) is not None
    assert first_wrong("1 + x = 3") is not None
    assert first_wrong("5 / 1 is undefined") is not None
    assert first_wrong("nothing") is not None


def test_writing_a_wrong_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_writer, "_solve", lambda o, p, inputs, style: (["5"], ["2 + 2 = 5"]))
    with pytest.raises(row_writer.WrongAnswer, match="Python says 4"):
        write_row("add", 2, 2)
    monkeypatch.setattr(row_writer, "_solve", lambda o, p, inputs, style: (["4"], ["2 + 2 = 14"]))
    with pytest.raises(row_writer.WrongAnswer):
        write_row("add", 2, 2)


def test_at_least_300_distinct_wordings_have_one_placeholder_each() -> None:
    wordings = phrasing.wordings()
    assert len({wording.casefold() for wording in wordings}) == len(wordings) >= 300
    for wording in wordings:
        assert wording.count("{}") == 1 and wording == wording.strip() and not re.search(r"\d", wording)


def test_a_wording_never_changes_the_problem() -> None:
    """Every form reads back to the input: signs, x, words, the named operation; spaces stay in worded forms."""
    forms = [
        (r"(\d+) ?\+ ?(\d+)|(?:the sum of )(\d+) and (\d+)|(\d+) plus (\d+)", "+"),
        (r"(\d+) ?- ?(\d+)|(?:the difference of )(\d+) and (\d+)|(\d+) minus (\d+)", "-"),
        (r"(\d+)(?: ?[*x] ?| times | multiplied by )(\d+)|(?:the product of )(\d+) and (\d+)", "*"),
        (r"(\d+) ?/ ?(\d+)|(?:the quotient and remainder of )(\d+) and (\d+)|(\d+) divided by (\d+)", "/"),
    ]
    pattern = {sign: re.compile(form) for form, sign in forms}
    for row in world.generate(4000, 0, "train"):
        sign = row["input"].split(" ")[1]
        match = pattern[sign].search(row["instruction"])
        assert match, row["instruction"]
        left, right = (number for number in match.groups() if number is not None)
        assert f"{left} {sign} {right}" == row["input"]


def test_the_noise_keeps_its_shares_and_can_be_switched_off() -> None:
    heads, middles, tails = phrasing.draw_phrases("multiply", 40_000, np.random.default_rng(0), True, True)
    count = Counter(middles)
    named, spoken = count[" and "] / 40_000, (count[" times "] + count[" multiplied by "]) / 40_000
    assert named == pytest.approx(0.05, abs=0.005)
    assert spoken == pytest.approx(0.95 * 0.10, abs=0.006)
    for signed in (" * ", "*", " x ", "x"):
        assert count[signed] / 40_000 == pytest.approx(0.95 * 0.90 / 4, abs=0.008)
    bare = sum(head in ("", "the product of ") and not tail for head, tail in zip(heads, tails, strict=True)) / 40_000
    assert bare == pytest.approx(0.2, abs=0.01)
    plain = list(world.generate(200, 0, "train", settings(noise=False, wordings=False)))
    assert all(row["instruction"] == row["input"] for row in plain)
    assert all(row["input"] in row["instruction"] for row in world.generate(200, 0, "train", settings(noise=False)))


def test_about_half_of_the_divisions_are_exact_and_none_beyond_the_limits() -> None:
    rows = list(world.generate(6000, 0, "train", settings(operations=["divide"], by_zero=0.02)))
    exact = sum(" R " not in row["answer"] for row in rows) / len(rows)
    assert 0.5 < exact < 0.62  # half by construction, some more by chance and by zero
    undefined = sum(row["answer"] == "undefined" for row in rows)
    one = sum(row["digits"].endswith("/1D") for row in rows)
    assert undefined / one == pytest.approx(0.02, abs=0.012)


def test_the_corpus_keeps_its_counts_over_all_chunks() -> None:
    plan = goat_dataset.plan()
    sections: Counter[str] = Counter()
    for kind in plan:
        sections[kind.section] += kind.rows
    assert sections == goat_dataset.SECTIONS and goat_dataset.SIZE == 1_746_300
    assert (
        np.gcd(goat_dataset.STRIDE, goat_dataset.SIZE) == 1
    )  # else the walk would meet some rows twice and others never
    assert (
        sum(kind.rows for kind in plan if kind.section == "n / 1" and kind.replacement == goat_dataset.BY_ZERO) == 1_700
    )
    sums = {(kind.digit_pair.left, kind.digit_pair.right) for kind in plan if kind.section == "n + m"}
    assert sums == {(i, j) for i in range(1, 17) for j in range(1, 17)}


def test_a_chunk_of_the_corpus_keeps_to_the_limits_and_mixes_all_kinds() -> None:
    table = goat_dataset.make_chunk(0, 5)
    rows = table.to_pylist()
    assert table.column_names == list(goat_dataset.COLUMNS) and len(rows) == goat_dataset.CHUNK_SIZE
    share = Counter(row["operation"] for row in rows)
    assert share["add"] / len(rows) == pytest.approx(304_000 / goat_dataset.SIZE, abs=0.002)
    for row in rows:
        left, sign, right = row["input"].split(" ")
        a, b, small = int(left), int(right), min(len(left), len(right))
        assert max(len(left), len(right)) <= 16
        direct = {len(left.rstrip("0")), len(right.rstrip("0"))} & {0, 1}
        if sign == "*" and not direct:
            assert len(str(a * b)) <= 12 and small > 1
        if sign == "/" and b > 9 and a:
            assert len(left) <= 12 and a // b < 10**6
        assert ("\n" in row["output"]) == (sign == "/" and 9 < b < a)
        assert first_wrong(row["output"]) is None
    for is_kind in (lambda a, b: b == 0, lambda a, b: b == 1, lambda a, b: b == 10, lambda a, b: a == b > 9):
        assert any(r["operation"] == "divide" and is_kind(*map(int, r["input"].split(" / "))) for r in rows)


def test_the_corpus_does_not_depend_on_the_number_of_workers() -> None:
    two = list(islice(goat_dataset.corpus(4, workers=2), 2))
    one = list(islice(goat_dataset.corpus(4), 2))
    assert [table.num_rows for table in two] == [goat_dataset.CHUNK_SIZE] * 2
    assert all(a.equals(b) for a, b in zip(two, one, strict=True))
    assert not goat_dataset.make_chunk(5, 0).equals(one[0])


@pytest.mark.realdata
@pytest.mark.skipif(not COUNTS.is_file(), reason=f"no {COUNTS}")
def test_the_corpus_has_the_published_number_of_rows_in_each_section() -> None:
    published = json.loads(COUNTS.read_text())
    names = {"n + m": "add", "n - m": "sub", "n * 1": "mul_n_by_1", "n * m": "mul_n_by_m"}
    names |= {"n / 1": "div_n_by_1", "n / m": "div_n_by_m"}
    assert {names[k]: n for k, n in goat_dataset.SECTIONS.items()} | {"total": goat_dataset.SIZE} == published[
        "notebook_samples"
    ]
    assert published["bare_expression_share"] == phrasing.BARE
    assert len(phrasing.wordings()) >= published["templates_distinct_case_insensitive"]
