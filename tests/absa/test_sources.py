"""Published and own sets become rows; overlapping sets do not leak into each other's test split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from instructzoo.absa import prompts, sources
from instructzoo.absa.data.corpora import locate
from instructzoo.absa.data.mixture import sentence_key
from instructzoo.absa.schema import TASKS, Quad
from instructzoo.core import api, data
from instructzoo.core import recipe as recipes
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import permits
from instructzoo.core.recipe import Recipe

COLUMNS = {"id", "instruction", "input", "output", "source", "licence", "item", "task", "domain", "gold"}
THINGS = ("wine", "bread", "soup", "staff", "music", "view", "beer", "steak", "salad", "tea")
MOODS = {"positive": "good", "negative": "bad"}


def recipe(*names: str, path: Path | None = None, options: dict[str, Any] | None = None, **values: Any) -> Recipe:
    model = {"backbone": "scratch:llama-1x32", "tokenizer": "bpe"}
    data = {"sources": names, "path": str(path) if path else None, "options": options or {}, **values}
    return Recipe.model_validate({"domain": "absa", "model": model, "data": data})


def asqp(*numbers: int) -> str:
    """A line for each number: sentences of different words, one tuple each."""
    lines = []
    for number in numbers:
        thing, mood = THINGS[number % 10], list(MOODS)[number % 2]
        text = f"Number {number} : the {thing} was {MOODS[mood]} on day {number * 7} of our trip ."
        lines.append(f"{text}####[['{thing}', 'food quality', '{mood}', '{MOODS[mood]}']]\n")
    return "".join(lines)


def corpora(root: Path) -> Path:
    """rest15 and rest16: rest15's test sentences 20 to 25 are in rest16's train split, in capitals."""
    files = {
        "asqp/rest15/train.txt": asqp(*range(10)),
        "asqp/rest15/dev.txt": asqp(10, 11),
        "asqp/rest15/test.txt": asqp(*range(20, 30)),
        "asqp/rest16/train.txt": asqp(*range(20, 26))
        .upper()
        .replace("POSITIVE", "positive")
        .replace("NEGATIVE", "negative")
        + asqp(*range(40, 50)),
        "asqp/rest16/dev.txt": asqp(26, 50, 51),
        "aste_v2/14lap/train_triplets.txt": "".join(
            f"Screen {n} is bright .####[([0], [3], 'POS')]\n" for n in range(40)
        ),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_a_sentence_becomes_one_row_per_task_and_one_item(tmp_path: Path) -> None:
    splits = sources.build(recipe("asqp/rest15", path=corpora(tmp_path)))
    assert {split: rows.num_rows for split, rows in splits.items()} == {"train": 50, "validation": 10, "test": 50}
    rows = splits["train"].to_list()
    assert all(set(row) == COLUMNS for row in rows)
    assert [row["task"] for row in rows[:5]] == list(TASKS)
    assert len({row["item"] for row in rows}) == 10
    assert {(row["source"], row["licence"], row["domain"]) for row in rows} == {
        ("asqp/rest15", "no licence file (research release)", "restaurant")
    }
    assert rows[4]["output"] == "wine is good means food quality is great"
    assert rows == sources.build(recipe("asqp/rest15", path=tmp_path))["train"].to_list()


def test_test_sentences_are_dropped_from_train_and_validation_of_sibling_sets(tmp_path: Path) -> None:
    the_recipe = recipe("asqp/rest15", "asqp/rest16", path=corpora(tmp_path), options={"tasks": ["asqp", "ae"]})
    built = data.build(the_recipe, tmp_path / "out")
    items = {split: set(rows["item"]) for split, rows in built.rows.items()}
    assert {split: len(split_items) for split, split_items in items.items()} == {
        "train": 20,
        "validation": 4,
        "test": 10,
    }
    assert not items["train"] & items["test"]
    assert not items["validation"] & items["test"]
    dropped = {(entry["part"], entry["reason"]): entry["rows"] for entry in built.card["dropped"]}
    assert dropped == {
        ("train", "contaminates test (the same item)"): 12,
        ("validation", "contaminates test (the same item)"): 2,
    }


@pytest.mark.realdata
def test_real_sibling_sets_share_no_item_across_splits(realdata: Path, tmp_path: Path) -> None:
    """436 of rest15's 537 test sentences are in rest16's train split letter by letter; 442 by their words."""
    the_recipe = recipe("asqp/rest15", "asqp/rest16", path=realdata, options={"tasks": ["asqp"]}, near_duplicates=None)
    splits = sources.build(the_recipe)
    test = splits["test"]["input"][:]
    assert len(test) == 537
    of_16 = {row["input"] for row in splits["train"] if row["source"] == "asqp/rest16"}
    assert sum(text in of_16 for text in test) == 436
    built = data.build(the_recipe, tmp_path / "out")
    checks = {(check["checked"], check["against"]): check for check in built.card["contamination"]["checks"]}
    assert checks["train", "test"]["found_exact"] == 442
    items = {split: set(rows["item"]) for split, rows in built.rows.items()}
    assert not items["train"] & items["test"]
    assert not items["train"] & items["validation"]
    assert not items["validation"] & items["test"]


@pytest.mark.parametrize("path", [".", "asqp", "asqp/rest15", "above"])
def test_a_set_is_found_from_any_folder_level(tmp_path: Path, path: str) -> None:
    corpora(tmp_path / "absa")
    folder = tmp_path if path == "above" else tmp_path / "absa" / path
    splits = sources.build(recipe("asqp/rest15", path=folder))
    assert set(splits) == {"train", "validation", "test"}


def test_a_single_file_is_read_as_the_split_it_names(tmp_path: Path) -> None:
    root = corpora(tmp_path) / "asqp/rest15"
    assert list(sources.build(recipe("asqp/rest15", path=root / "train.txt"))) == ["train"]
    assert list(sources.build(recipe("asqp/rest15", path=root / "test.txt"))) == ["test"]
    assert list(sources.build(recipe("asqp/rest15", path=root / "dev.txt"))) == ["validation"]


def test_missing_splits_are_cut_from_train_by_item(tmp_path: Path) -> None:
    """14lap has no dev and test split here: both are cut out of train, by sentence."""
    built = data.build(recipe("aste/14lap", path=corpora(tmp_path), validation=0.2, test=0.2), tmp_path / "out")
    assert sum(rows.num_rows for rows in built.rows.values()) == 120
    items = [set(rows["item"]) for rows in built.rows.values()]
    assert sum(map(len, items)) == len(set.union(*items)) == 40
    assert built.card["splits"]["test"] == "0.2 of train's items, by hash of the item"


def test_building_the_test_split_reads_no_training_file(tmp_path: Path) -> None:
    the_recipe = recipe("asqp/rest15", path=corpora(tmp_path))
    expected = sources.build(the_recipe)["test"].to_list()
    (tmp_path / "asqp/rest15/train.txt").write_text("broken")
    splits = sources.build(the_recipe, ("test",))
    assert list(splits) == ["test"]
    assert splits["test"].to_list() == expected


def test_few_shot_draws_are_noted_on_the_card_and_vary_by_seed(tmp_path: Path) -> None:
    the_recipe = recipe("asqp/rest15", path=corpora(tmp_path), options={"kshot": 3, "tasks": ["ae", "asqp"]})
    built = data.build(the_recipe, tmp_path / "out")
    assert built.card["counts"] == {"train": 6, "validation": 4, "test": 20}
    assert built.card["notes"] == [
        "asqp/rest15, train: 3 of 10 sentences drawn by the 3-shot sampler",
        "asqp/rest15, validation: 2 of 2 sentences drawn by the 3-shot sampler; "
        "classes with fewer than 3 tuples: FOOD 2",
    ]
    assert "\n- asqp/rest15, train: 3 of 10" in (built.folder / "README.md").read_text()
    other = sources.build(recipe("asqp/rest15", path=tmp_path, options={"kshot": 3, "kshot_seed": 1}))
    assert set(other["train"]["item"]) != set(built.rows["train"]["item"])


def test_a_few_shot_draw_requires_a_test_split_or_dev_as_test(tmp_path: Path) -> None:
    options = {"kshot": 2, "tasks": ["asqp"]}
    root = corpora(tmp_path)
    with pytest.raises(
        ZooError, match=r"kshot: no test split beside a K-shot draw.*set data\.options\.dev_as_test=true"
    ):
        sources.build(recipe("asqp/rest16", path=root, options=options))
    with pytest.raises(ZooError, match=r"no test split beside a K-shot draw; expected one.*add a test file"):
        sources.build(recipe("aste/14lap", path=root, options={"kshot": 2}))
    splits = sources.build(recipe("asqp/rest16", path=root, options=options | {"dev_as_test": True}))
    assert {split: rows.num_rows for split, rows in splits.items()} == {"train": 2, "validation": 2, "test": 3}
    assert not set(splits["train"]["item"]) & set(splits["validation"]["item"])
    assert splits["validation"].info.description == (
        "asqp/rest16, validation: from what the draw left of train\n"
        "asqp/rest16, validation: 2 of 14 sentences drawn by the 2-shot sampler"
    )
    assert splits["test"].info.description == "asqp/rest16, test: the dev split, since there is no test split"


def test_dev_as_test_moves_dev_only_where_no_test_split_exists(tmp_path: Path) -> None:
    the_recipe = recipe(
        "asqp/rest16", path=corpora(tmp_path), options={"dev_as_test": True, "tasks": ["ae"]}, validation=0.2
    )
    built = data.build(the_recipe, tmp_path / "out")
    assert built.card["splits"]["test"] == "by the source"
    assert built.card["splits"]["validation"] == "0.2 of train's items, by hash of the item"
    assert built.rows["test"].num_rows == 3
    whole = sources.build(recipe("asqp/rest15", path=tmp_path, options={"dev_as_test": True, "tasks": ["ae"]}))
    assert {split: rows.num_rows for split, rows in whole.items()} == {"train": 10, "validation": 2, "test": 10}


def test_decisions_of_a_reader_are_counted_in_the_description(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "text,aspect,sentiment\nFine wine,wine,positive\nFine wine,beer,negative\nOdd soup,soup,conflict\n"
        "We came.,none,\nNot yet read.,,\n",
        encoding="utf-8",
    )
    splits = sources.build(recipe("own", path=path, options={"tasks": ["aesc", "asqp"], "domain": "bar"}))
    assert splits["train"].info.description.split("\n") == [
        "own, train: 3 requested tasks that the annotation does not support",
        "own, train: 1 rows left out, since all tuples of their sentence are conflicting",
        "own, train: 1 sentences without a tuple",
        "own, train: 1 spans that are not in their sentence",
        f"own, train: 1 {sources.UNANNOTATED}",
        "own, train: 1 tuples of conflicting sentiment, which only ae keeps",
    ]
    assert [row["output"] for row in splits["train"]] == ["wine is great [SSEP] beer is bad", "nothing"]
    assert {(row["domain"], row["licence"]) for row in splits["train"]} == {("bar", "yours")}
    (ae,) = {tuple(sources.build(recipe("own", path=path, options={"tasks": ["ae"]}))["train"]["output"][:])}
    assert ae == ("wine [SSEP] beer", "soup", "nothing")


def test_saved_rows_are_loaded_again_unchanged(tmp_path: Path) -> None:
    quads = [Quad("wine", "FOOD#QUALITY", None, "positive")]
    rows = [prompts.make_row(f"Fine wine {n}", quads, task, 0, "bar", "demo", "x") for n in range(3) for task in TASKS]
    path = tmp_path / "saved.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    loaded = sources.build(recipe("own", path=path))["train"].to_list()
    assert [(r["input"], r["task"], r["output"], r["gold"]) for r in loaded] == [
        (r["input"], r["task"], r["output"], r["gold"]) for r in rows
    ]


@pytest.mark.parametrize(
    ("names", "path", "options", "words"),
    [
        (["asqp/rest17"], ".", {}, 'data.sources: no source "asqp/rest17"; did you mean "asqp/rest1'),
        (["asqp/rest15"], None, {}, 'data.path: the source "asqp/rest15" is read from files'),
        (["own"], None, {}, 'data.path: the source "own" is read from files'),
        (["asqp/rest15"], "asqp/rest16", {}, "no file of asqp/rest15"),
        (["acos/laptop"], ".", {}, "no file of acos/laptop; expected acos/laptop/ with train, validation, test files"),
        (["asqp/rest15", "asqp/rest16"], "asqp/rest15/train.txt", {}, "one file for several sources"),
        (["asqp/rest15"], "absent", {}, "no such file"),
        (["aste/14lap"], ".", {"tasks": ["asqp"]}, "aste/14lap answers none of asqp; expected some of ae, aesc, aste"),
        (["asqp/rest15"], ".", {"tasks": ["absa"]}, "data.options: tasks"),
        (["asqp/rest15"], ".", {"shots": 5}, 'unknown setting "shots"'),
        (["asqp/rest15"], ".", {"kshot": 0}, "kshot = 0"),
        (["asqp/rest15"], ".", {"weights": {"asqp": -1}}, "weights = -1; expected greater"),
        (
            ["asqp/rest15"],
            ".",
            {"weights": {"rest16 asqp": 2}},
            '"rest16 asqp" is no task, set or "set task"; expected',
        ),
        (["asqp/rest15"], ".", {"skip_test": ["rest15"]}, 'no set "rest15"; expected'),
    ],
)
def test_an_invalid_setting_is_a_one_line_error(
    tmp_path: Path, names: list[str], path: str | None, options: dict[str, Any], words: str
) -> None:
    corpora(tmp_path)
    with pytest.raises(ZooError) as caught:
        sources.build(recipe(*names, path=tmp_path / path if path else None, options=options))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_files_for_one_split_are_an_error(tmp_path: Path) -> None:
    for name in ("a_train.csv", "b_train.csv"):
        (tmp_path / name).write_text("text,aspect\nFine wine,wine\n")
    with pytest.raises(ZooError, match=r"two train files: a_train\.csv, b_train\.csv"):
        sources.build(recipe("own", path=tmp_path))


def test_world_and_published_rows_can_be_mixed(tmp_path: Path) -> None:
    sizes = {"train": 30, "validation": 5, "test": 5}
    splits = sources.build(recipe("world", "asqp/rest15", path=corpora(tmp_path), sizes=sizes))
    assert {split: rows.num_rows for split, rows in splits.items()} == {"train": 80, "validation": 15, "test": 55}
    assert set(splits["train"]["source"]) == {"world", "asqp/rest15"}


FILES = {
    "test.txt": (asqp(1, 2), "asqp"),
    "test_triplets.txt": ("Screen is bright .####[([0], [2], 'POS')]\n", "aste"),
    "laptop_quad_test.tsv": ("screen is bright\t0,1 DISPLAY#QUALITY 2 2,3\n", "asqp"),
    "Restaurants_Test.csv": ("raw_text,aspectTerms\nFine wine,\"[{'term': 'wine', 'polarity': 'positive'}]\"\n", "ae"),
    "mine.jsonl": (json.dumps({"text": "Fine wine", "quads": [{"aspect": "wine"}]}) + "\n", "ae"),
    "rest.xml": (
        '<Reviews><Review><sentences><sentence><text>Fine wine</text><Opinions><Opinion target="wine" '
        'category="DRINKS#QUALITY" polarity="positive"/></Opinions></sentence></sentences></Review></Reviews>',
        "tasd",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_published_file_can_be_scored_as_gold_and_as_answers(tmp_path: Path, name: str) -> None:
    """As gold and as answers, for the default task and for one with fewer elements."""
    text, task = FILES[name]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    rows = sources.gold(path)
    assert rows is not None
    assert {row["task"] for _, row in rows} == {task}
    for score_task in ("", "ae"):
        for scorer in ("strict", "lenient", "abs-quad", "instructabsa-legacy"):
            scores = api.score("absa", str(path), str(path), scorer, score_task)
            headline = scores["figures"][0]
            assert (headline["metric"], headline["group"], headline["value"]) == ("F1", "all", 1), (scorer, score_task)
    answers = tmp_path / "answers.txt"
    answers.write_text("e\n" * scores["n"])
    assert api.score("absa", str(path), str(answers))["figures"][0]["value"] == 0
    if task != "asqp":
        lacking = "aste" if task == "tasd" else "tasd"
        with pytest.raises(ZooError, match=f":[12]: the task {lacking}; expected one of ae"):
            api.score("absa", str(path), str(path), "strict", lacking)


def test_files_of_rows_or_answers_are_not_read_as_published_sets(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(prompts.make_row("Fine wine", [Quad("wine")], "ae", 0)) + "\n")
    (tmp_path / "answers.txt").write_text("wine is fine\n")
    assert sources.gold(tmp_path / "rows.jsonl") is None
    assert sources.gold(tmp_path / "answers.txt") is None


@pytest.mark.slow
@pytest.mark.realdata
def test_nearly_all_real_targets_satisfy_the_grammar(realdata: Path) -> None:
    """The others cut a word, or have a span that is not in their sentence as it is written."""
    outside = {}
    for name in ("asqp/rest16", "acos/laptop", "aste/14res"):
        splits = sources.build(recipe(name, path=realdata, options={"dev_as_test": True}))
        rows = [row for dataset in splits.values() for row in dataset]
        outside[name] = (len(rows), sum(not permits(prompts.constraint(row), row["output"]) for row in rows))
    assert outside == {"asqp/rest16": (7900, 22), "acos/laptop": (16300, 0), "aste/14res": (6204, 0)}


def overlapping(root: Path) -> Path:
    """ASQP and SemEval-2016 on the same sentences and some of their own; ASQP writes "was n't" for "wasn't"."""
    files = {
        "asqp/rest16/train.txt": asqp(0, 2) + asqp(1).replace("was", "was n't"),
        "asqp/rest16/dev.txt": asqp(3),
        "asqp/rest16/test.txt": asqp(4),
        "aste_v2/14lap/train_triplets.txt": "Screen 1 is bright .####[([0], [3], 'POS')]\n",
        "semeval/SemEval16/Train/Restaurants_Train.csv": "raw_text,aspectTerms\n"
        + "".join(f"{asqp(n).split('####')[0]},[]\n" for n in (0, 3, 4))
        + asqp(1).split("####")[0].replace("was", "wasn't")
        + ",[]\n"
        + "We came at noon.,[]\nThe bar is fun.,\"[{'term': 'bar', 'polarity': 'positive'}]\"\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def train_rows(root: Path, *names: str, **options: Any) -> list[dict[str, Any]]:
    return list(sources.build(recipe(*names, path=root, options=options))["train"].to_list())


def test_one_set_alone_has_rows_of_a_sentence_and_task(tmp_path: Path) -> None:
    sets = ("asqp/rest16", "semeval/2016-restaurant")
    by_item: dict[tuple[str, str], set[str]] = {}
    for row in train_rows(overlapping(tmp_path), *sets, one_set=True):
        by_item.setdefault((row["item"], row["task"]), set()).add(row["source"])
    assert all(len(names) == 1 for names in by_item.values())
    shared = prompts.item_of(asqp(0).split("####")[0])
    assert by_item[shared, "aesc"] == {"asqp/rest16"}  # the first of data.sources
    assert len(train_rows(tmp_path, *sets)) - len(train_rows(tmp_path, *sets, one_set=True)) == 4


def test_weights_are_rows_with_other_wordings_and_fractions_are_samples(tmp_path: Path) -> None:
    weights = {"asqp": 2, "asqp/rest15 asqp": 2, "aste": 0, "ae": 0.5}
    rows = train_rows(corpora(tmp_path), "asqp/rest15", weights=weights)
    counts = {task: sum(row["task"] == task for row in rows) for task in TASKS}
    assert counts | {"ae": 0} == {"ae": 0, "aesc": 10, "tasd": 10, "aste": 0, "asqp": 40}
    assert 0 < counts["ae"] < 10
    wordings: dict[str, set[str]] = {}
    for row in rows:
        if row["task"] == "asqp":
            wordings.setdefault(row["item"], set()).add(row["instruction"])
    assert {len(instructions) for instructions in wordings.values()} == {4}
    assert len({row["id"] for row in rows}) == len(rows)


def test_a_sampled_test_split_keeps_all_of_its_sentences_out_of_train(tmp_path: Path) -> None:
    sets = ("asqp/rest16", "semeval/2016-restaurant")
    splits = sources.build(
        recipe(*sets, path=overlapping(tmp_path), options={"test_weights": {"asqp/rest16": 0.0, "ae": 1}})
    )
    test_item = prompts.item_of(asqp(4).split("####")[0])
    assert "test" not in splits or not splits["test"].num_rows
    assert test_item not in splits["train"]["item"]
    assert test_item in [row["item"] for row in train_rows(tmp_path, *sets)]  # which the core then drops
    assert "2 rows left out, since their sentence is in the test split of a set" in splits["train"].info.description


def test_skipped_dev_and_test_splits_are_not_used(tmp_path: Path) -> None:
    the_recipe = recipe("asqp/rest16", path=overlapping(tmp_path), options={"skip_dev": ["asqp/rest16"]})
    assert set(sources.build(the_recipe)) == {"train", "test"}
    skipped = {"skip_dev": ["asqp/rest16"], "skip_test": ["asqp/rest16"], "dev_as_test": True}
    assert set(sources.build(recipe("asqp/rest16", path=tmp_path, options=skipped))) == {"train"}


def test_a_set_without_implicit_aspects_says_so_in_its_instructions(tmp_path: Path) -> None:
    sets = ("asqp/rest16", "aste/14lap", "semeval/2016-restaurant")
    rows = train_rows(overlapping(tmp_path), *sets, state_convention=True)
    marked = {row["source"] for row in rows if row["instruction"].endswith(prompts.NAMED_ONLY)}
    assert marked == {"aste/14lap", "semeval/2016-restaurant"}
    assert all(prompts.task_of({"instruction": row["instruction"]}) == row["task"] for row in rows)
    plain = train_rows(tmp_path, *sets)
    assert [row["instruction"].removesuffix(f" {prompts.NAMED_ONLY}") for row in rows] == [
        r["instruction"] for r in plain
    ]


def test_sentences_without_any_opinion_get_rows_of_every_task(tmp_path: Path) -> None:
    sets = ("asqp/rest16", "semeval/2016-restaurant")
    options = {"without_opinion": ["semeval/2016-restaurant"], "state_convention": True, "skip_dev": ["asqp/rest16"]}
    rows = [row for row in train_rows(overlapping(tmp_path), *sets, **options) if row["source"] == sets[1]]
    opinionless = [row for row in rows if row["input"] == "We came at noon."]
    assert [(row["task"], row["output"]) for row in opinionless] == [(task, "nothing") for task in TASKS]
    assert not any(prompts.NAMED_ONLY in row["instruction"] for row in opinionless)
    # ASQP has an opinion in the others: one in train, one in the dev split that is not used, one in test
    assert {row["task"] for row in rows if row["input"] != "We came at noon."} == {"ae", "aesc"}


def test_natural_spacing_joins_tokens_in_text_and_spans(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(
        "It was n't cheap ( $ 30 ) , the chef 's soup did n't help !"
        "####[['NULL', 'food prices', 'negative', \"was n't cheap\"],"
        " [\"chef 's soup\", 'food quality', 'negative', \"did n't help\"]]\n"
        "It did n't work .####[['NULL', 'food quality', 'negative', \"n't work\"]]\n"
        "The fish , as ever , was dry .####[['fish', 'food quality', 'negative', 'dry']]\n"
    )
    options = {"natural_spacing": 1, "tasks": ["asqp"]}
    rows = train_rows(tmp_path, "asqp/rest15", **options)
    assert [row["input"] for row in rows] == [
        "It wasn't cheap ($30), the chef's soup didn't help!",
        "It did n't work .",  # its span is a piece of a word
        "The fish, as ever, was dry.",
    ]
    assert rows[0]["output"].startswith(
        "it is wasn't cheap means food prices are bad [SSEP] chef's soup is didn't help"
    )
    tokenised = train_rows(tmp_path, "asqp/rest15", tasks=["asqp"])
    assert [row["item"] for row in rows] == [row["item"] for row in tokenised]  # one sentence, one split
    half = train_rows(corpora(tmp_path / "half"), "asqp/rest15", **options | {"natural_spacing": 0.5})
    assert 0 < sum(row["input"].endswith("trip.") for row in half) < 10


def test_own_reviews_are_not_weighted_or_respaced(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("text,aspect,sentiment\n" + "".join(f"The soup {n} was good .,soup,positive\n" for n in range(20)))
    plain = train_rows(path, "own")
    mixed = {"weights": {"ae": 0.3, "aesc": 3}, "natural_spacing": 1, "one_set": True, "state_convention": True}
    assert train_rows(path, "own", **mixed) == plain and len(plain) == 40


@pytest.mark.realdata
@pytest.mark.slow
def test_small_trains_on_no_sentence_of_any_test_part(realdata: Path) -> None:
    small = recipes.load("absa/small", [f"data.path={realdata}"])
    train = {sentence_key(text) for text in sources.build(small)["train"]["input"]}
    in_test = set[str]()
    for name in set(small.data.sources) - set(small.data.options.get("skip_test", ())):
        for split, path in locate(name, str(realdata), only_source=False).items():
            if split == "test":
                in_test |= {sentence_key(row["input"]) for _, row in sources.gold(path, "ae") or ()}
    assert len(train) > 6_000 and len(in_test) > 3_000
    assert not train & in_test
