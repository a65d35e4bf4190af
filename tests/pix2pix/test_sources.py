"""Every layout of pairs becomes rows of the common form; pairs of one prompt or photo stay in one split."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from instructzoo.core import data
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Record
from instructzoo.pix2pix import images, sources

COLUMNS = ["id", "instruction", "input", "output", "source", "licence", "item", "image", "edited", "kind", "variants"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTRUCTZOO_CACHE", str(tmp_path / "cache"))


def recipe(*names: str, path: Path | None = None, options: dict[str, Any] | None = None, **values: Any) -> Recipe:
    data_settings = {"sources": names, "path": str(path) if path else None, "options": options or {}, **values}
    model = {"backbone": "scratch:llama-1x32", "tokenizer": "bpe"}
    return Recipe.model_validate({"domain": "pix2pix", "model": model, "data": data_settings})


def picture(path: Path, number: int, size: tuple[int, int] = (6, 9)) -> Path:
    """A picture of its own for every number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (*size, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def rows(source_recipe: Recipe, split: str = "train") -> list[dict[str, Any]]:
    built_rows: list[dict[str, Any]] = sources.build(source_recipe)[split].to_list()
    for row in built_rows:
        assert list(row) == COLUMNS
        assert all(isinstance(value, str) for value in row.values())
        assert Record.from_row(row).source and row["licence"] and row["item"] and row["id"]
        assert images.read(row["image"]).shape == images.read(row["edited"]).shape
    return built_rows


def released(root: Path, prompts: int = 12, listed: bool = True) -> Path:
    """Prompts with one to three seeds; every second one has the caption under the other key."""
    entries = []
    for number in range(prompts):
        folder = root / f"{number:07d}"
        seeds = [str(100 * number + seed) for seed in range(1 + number % 3)]
        for seed in seeds:
            for side in (0, 1):
                picture(folder / f"{seed}_{side}.jpg", 2 * int(seed) + side)
        caption = "caption" if number % 2 else "input"
        prompt = {caption: f"lake number {number}", "edit": f"as painter {number}", "output": f"painted lake {number}"}
        (folder / "prompt.json").write_text(json.dumps(prompt))
        (folder / "metadata.jsonl").write_text('{"seed": 1, "clip_sim_dir": 0.3}\n')
        entries.append([folder.name, seeds])
    if listed:
        (root / "seeds.json").write_text(json.dumps(entries))
    return root


def test_world_rows_have_the_columns_of_all_sources() -> None:
    splits = sources.build(recipe("world", sizes={"train": 5, "validation": 3, "test": 2}))
    assert {split: table.num_rows for split, table in splits.items()} == {"train": 5, "validation": 3, "test": 2}
    assert splits["train"].column_names == COLUMNS
    assert list(sources.build(recipe("world", sizes={"test": 2}), ("test",))) == ["test"]


@pytest.mark.parametrize("listed", [True, False])
def test_captions_are_read_under_either_key_and_seeds_become_variants(tmp_path: Path, listed: bool) -> None:
    built_rows = rows(recipe("released", path=released(tmp_path / "set", listed=listed)))
    assert [row["input"] for row in built_rows] == [f"lake number {number}" for number in range(12)]
    assert built_rows[3]["instruction"] == "as painter 3" and built_rows[3]["output"] == "painted lake 3"
    assert {row["licence"] for row in built_rows} == {"see the set's card"}
    further = [json.loads(row["variants"]) if row["variants"] else [] for row in built_rows]
    assert [len(pairs) for pairs in further] == [number % 3 for number in range(12)]
    assert built_rows[2]["image"].endswith("0000002/200_0.jpg") and built_rows[2]["edited"].endswith(
        "0000002/200_1.jpg"
    )
    assert [Path(path).name for path in further[2][1]] == ["202_0.jpg", "202_1.jpg"]


def test_seeds_of_one_prompt_stay_in_one_split(tmp_path: Path) -> None:
    built = data.build(recipe("released", path=released(tmp_path / "set"), validation=0.2, test=0.2), tmp_path / "out")
    sides: dict[str, set[str]] = {split: set() for split in built.rows}
    for split, built_rows in built.rows.items():
        for row in built_rows:
            pairs = [[row["image"], row["edited"]], *(json.loads(row["variants"]) if row["variants"] else [])]
            sides[split] |= {Path(reference).parent.name for pair in pairs for reference in pair}
    assert sum(map(len, sides.values())) == len(set.union(*sides.values())) == 12
    assert all(sides.values())
    assert not built.card["dropped"]


def test_a_set_in_shards_is_read_without_temporary_folders(tmp_path: Path) -> None:
    released(tmp_path / "set" / "shard-00", 3, listed=False)
    (tmp_path / "set" / ".0000009.x.tmp").mkdir()
    (tmp_path / "set" / ".0000009.x.tmp" / "prompt.json").write_text("{")
    assert len(rows(recipe("released", path=tmp_path / "set"))) == 3


def test_errors_in_a_released_set_name_their_file(tmp_path: Path) -> None:
    root = released(tmp_path / "set", 4)
    source_recipe = recipe("released", path=root)
    (root / "0000001" / "100_1.jpg").unlink()
    with pytest.raises(ZooError, match=r"0000001/prompt.json, picture 100_1.jpg: no file"):
        sources.build(source_recipe)
    splits = sources.build(recipe("released", path=root, options={"skip_damaged": True}))
    assert splits["train"].num_rows == 4, "the other seed of the prompt is still there"
    assert splits["train"].info.description == "released, train: 1 pairs left out: a picture is missing or damaged"
    (root / "0000001" / "prompt.json").write_text('{"caption": "a lake",\n"edit": 3}')
    with pytest.raises(ZooError, match=r'0000001/prompt.json: "edit" is 3; expected text'):
        sources.build(source_recipe)
    (root / "0000001" / "prompt.json").write_text('{"caption": "a lake",\n"edit"}')
    with pytest.raises(ZooError, match=r"0000001/prompt.json:2: malformed JSON"):
        sources.build(source_recipe)
    (root / "seeds.json").write_text('[["0000000", ["0"]], ["0000009", ["1"]]]')
    with pytest.raises(ZooError, match=r"seeds.json, entry 2: no 0000009/prompt.json"):
        sources.build(source_recipe)
    (root / "seeds.json").write_text('[["0000000", []]]')
    with pytest.raises(ZooError, match=r"seeds.json, entry 1: found"):
        sources.build(source_recipe)


def test_a_prompt_without_a_pair_is_left_out_and_counted(tmp_path: Path) -> None:
    root = released(tmp_path / "set", 3, listed=False)
    (root / "0000009").mkdir()
    (root / "0000009" / "prompt.json").write_text('{"input": "a", "edit": "b", "output": "c"}')
    splits = sources.build(recipe("released", path=root))
    assert splits["train"].num_rows == 3
    assert splits["train"].info.description == "released, train: 1 prompts left out: no pair stands beside them"
    (tmp_path / "bare").mkdir()
    with pytest.raises(ZooError, match="bare: no prompt in this folder"):
        sources.build(recipe("released", path=tmp_path / "bare"))


def hub_rows(count: int, **names: str) -> dict[str, list[Any]]:
    """Columns of a set of pictures: PNG before, JPEG after."""

    def encoded(number: int, kind: str) -> dict[str, Any]:
        stream = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 256, (6, 9, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(stream, kind)
        return {"bytes": stream.getvalue(), "path": None}

    columns = {
        "original_prompt": [f"a lake {n}" for n in range(count)],
        "original_image": [encoded(2 * n, "png") for n in range(count)],
        "edit_prompt": [f"make it night {n}" for n in range(count)],
        "edited_prompt": [f"a lake {n} at night" for n in range(count)],
        "edited_image": [encoded(2 * n + 1, "jpeg") for n in range(count)],
    }
    return {names.get(name, name): values for name, values in columns.items()}


@pytest.mark.parametrize("form", ["save_to_disk", "parquet"])
def test_picture_bytes_of_a_hub_set_are_unchanged(tmp_path: Path, form: str) -> None:
    import datasets

    columns = hub_rows(4)
    features = datasets.Features(
        {n: datasets.Image() if n.endswith("image") else datasets.Value("string") for n in columns}
    )
    whole = datasets.Dataset.from_dict(columns, features)
    if form == "save_to_disk":
        datasets.DatasetDict({"train": whole, "dev": whole.select([3])}).save_to_disk(str(tmp_path / "set"))
    else:
        (tmp_path / "set" / "data").mkdir(parents=True)
        whole.to_parquet(tmp_path / "set" / "data" / "train-00000-of-00001.parquet")
        whole.select([3]).to_parquet(tmp_path / "set" / "data" / "validation-00000-of-00001.parquet")
    source_recipe = recipe("hub", path=tmp_path / "set")
    built_rows = rows(source_recipe)
    assert [row["input"] for row in built_rows] == columns["original_prompt"]
    assert [row["output"] for row in built_rows] == columns["edited_prompt"]
    assert built_rows[1]["instruction"] == "make it night 1"
    assert {(row["source"], row["licence"]) for row in built_rows} == {("hub/set", "see the set's card")}
    assert built_rows[0]["image"].startswith("data:image/png;base64,")
    assert built_rows[0]["edited"].startswith("data:image/jpeg;base64,")
    import base64

    assert base64.b64decode(built_rows[2]["edited"].partition(",")[2]) == columns["edited_image"][2]["bytes"]
    assert sources.build(source_recipe)["validation"].num_rows == 1
    assert list(sources.build(source_recipe, ("validation",))) == ["validation"]


def test_columns_of_another_name_are_read_by_options(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = {"original_image": "source_img", "edit_prompt": "instruction", "edited_image": "target_img"}
    columns = {n: v for n, v in hub_rows(3, **names).items() if "_prompt" not in n}
    columns["source_img"] = [columns["source_img"][0]] * 2 + columns["source_img"][2:]
    pq.write_table(pa.table(columns), tmp_path / "part.parquet")
    with pytest.raises(ZooError, match=r'part.parquet, row 1: no column "original_image"'):
        sources.build(recipe("hub", path=tmp_path))
    options = {"image_column": "source_img", "instruction_column": "instruction", "edited_column": "target_img"}
    built_rows = rows(recipe("hub", path=tmp_path, options=options))
    assert [row["input"] for row in built_rows] == ["", "", ""]
    assert built_rows[0]["item"] == built_rows[1]["item"] != built_rows[2]["item"], "two edits of one picture"


def test_a_damaged_picture_of_a_hub_set_is_an_error_with_its_row_or_skipped(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = hub_rows(3)
    columns["edited_image"][1]["bytes"] = b"not found"
    pq.write_table(pa.table(columns), tmp_path / "test.parquet")
    with pytest.raises(ZooError, match=r"test.parquet, row 2, edited_image: cannot read the picture"):
        sources.build(recipe("hub", path=tmp_path))
    splits = sources.build(recipe("hub", path=tmp_path, options={"skip_damaged": True}), ("test",))
    assert splits["test"].num_rows == 2
    assert "1 pairs left out" in splits["test"].info.description


def test_a_hub_set_without_an_id_or_a_loadable_one_is_an_error() -> None:
    with pytest.raises(ZooError, match=r"neither data.path nor data.options.hub"):
        sources.build(recipe("hub"))
    with pytest.raises(ZooError, match=r"cannot load name/of-a-set from the hub .*pass data.path=FOLDER"):
        sources.build(recipe("hub", options={"hub": "name/of-a-set"}))


def test_pairs_and_their_instructions_are_matched_by_file_name(tmp_path: Path) -> None:
    for number, name in enumerate(("lake.png", "deep/wood.png", "hill.png")):
        picture(tmp_path / "before" / name, number)
        after = picture(tmp_path / "after" / Path(name).with_suffix(".bmp"), 50 + number)
        after.with_suffix(".txt").write_text(f"make {after.stem}\nnight\n")
    built_rows = rows(recipe("pairs", path=tmp_path, options={"licence": "CC0"}))
    assert [row["instruction"] for row in built_rows] == ["make wood night", "make hill night", "make lake night"]
    assert [Path(row["edited"]).name for row in built_rows] == ["wood.bmp", "hill.bmp", "lake.bmp"]
    assert {(row["source"], row["licence"]) for row in built_rows} == {("pairs", "CC0")}


def test_instructions_of_pairs_are_read_from_a_table(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for number in range(2):
            picture(tmp_path / split / "control" / f"{number}.png", number + 10 * len(split))
            picture(tmp_path / split / "target" / f"{number}.png", number + 10 * len(split) + 5)
        lines = [["file", "instruction", "kind"], ["0.png", "make it night", "light"], ["1", "add snow, much", ""]]
        with (tmp_path / split / "instructions.csv").open("w", newline="") as file:
            csv.writer(file).writerows(lines)
    options = {"before": "control", "after": "target"}
    built_rows = rows(recipe("pairs", path=tmp_path, options=options), "test")
    assert [(row["instruction"], row["kind"]) for row in built_rows] == [
        ("make it night", "light"),
        ("add snow, much", ""),
    ]
    with pytest.raises(ZooError, match=r'no folder "before".*data.options.before'):
        sources.build(recipe("pairs", path=tmp_path))
    (tmp_path / "test" / "instructions.csv").write_text("file,instruction\n0,a\n1,b\n7,c\n")
    with pytest.raises(ZooError, match=r'instructions.csv:4: no picture "7"'):
        sources.build(recipe("pairs", path=tmp_path, options=options))


def test_an_incomplete_or_ambiguous_pair_is_an_error(tmp_path: Path) -> None:
    for name in ("one", "two"):
        picture(tmp_path / "before" / f"{name}.png", 1)
    picture(tmp_path / "after" / "one.png", 3)
    with pytest.raises(ZooError, match=r"before/two and nothing of that name in after"):
        sources.build(recipe("pairs", path=tmp_path))
    with pytest.raises(ZooError, match=r"one.png: no instruction for this picture"):
        sources.build(recipe("pairs", path=tmp_path, options={"skip_damaged": True}))
    (tmp_path / "after" / "one.txt").write_text("make it night")
    splits = sources.build(recipe("pairs", path=tmp_path, options={"skip_damaged": True}))
    assert "1 pictures left out" in splits["train"].info.description
    picture(tmp_path / "before" / "one.jpg", 5)
    with pytest.raises(ZooError, match=r"one.jpg and one.png; expected one picture of a name"):
        sources.build(recipe("pairs", path=tmp_path))


def test_relative_paths_start_at_the_folder_of_their_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "set" / "pictures" / "1.png", 1)
    picture(tmp_path / "other.jpg", 2)
    (tmp_path / "set" / "train.csv").write_text("instruction,image,edited\nmake it night,pictures/1.png,../other.jpg\n")
    data_uri = images.to_uri(np.zeros((2, 2, 3), np.uint8))
    line = {
        "instruction": "add snow",
        "image": data_uri,
        "edited": data_uri,
        "id": "7",
        "input": None,
        "kind": "weather",
    }
    (tmp_path / "set" / "test.jsonl").write_text(json.dumps(line) + "\n")
    monkeypatch.chdir(tmp_path)
    source_recipe = recipe("table", path=Path("set"))
    (row,) = rows(source_recipe)
    assert row["image"] == str(tmp_path / "set/pictures/1.png")
    assert row["edited"] == str(tmp_path / "other.jpg")
    assert row["licence"] == "yours"
    (tested,) = rows(source_recipe, "test")
    assert (tested["id"], tested["kind"], tested["input"]) == ("7", "weather", "")
    assert (
        sources.build(source_recipe)["test"].info.description
        == "table, test: 1 pairs whose two pictures are the same file"
    )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ({"instruction": "a", "image": "1.png"}, 'no "edited" among: instruction, image'),
        ({"instruction": " ", "image": "1.png", "edited": "1.png"}, '"instruction" is empty'),
        ({"instruction": "a", "image": 3, "edited": "1.png"}, '"image" is 3; expected text'),
        ({"instruction": "a", "image": "1.png", "edited": "1.png", "colour": ""}, 'column "colour"'),
        ({"instruction": "a", "image": "1.png", "edited": "2.png"}, "picture 2.png: no file"),
        ({"instruction": "a", "image": "1.png", "edited": "1.png", "variants": "[1]"}, "found .1.; expected variants"),
    ],
)
def test_errors_in_a_table_name_their_line(tmp_path: Path, line: dict[str, Any], fault: str) -> None:
    picture(tmp_path / "1.png", 1)
    good = {"instruction": "a", "image": "1.png", "edited": "1.png"}
    (tmp_path / "rows.jsonl").write_text(f"{json.dumps(good)}\n{json.dumps(line)}\n")
    with pytest.raises(ZooError, match=rf"rows.jsonl:2.*{fault}"):
        sources.build(recipe("table", path=tmp_path / "rows.jsonl"))


def test_written_rows_are_read_back_unchanged(tmp_path: Path) -> None:
    first = rows(recipe("released", path=released(tmp_path / "set", 4)))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in first))
    assert rows(recipe("table", path=tmp_path / "rows.jsonl")) == first
    assert [row for _, row in sources.gold(tmp_path / "rows.jsonl") or ()] == first


def test_answers_and_foreign_files_are_not_read_as_gold(tmp_path: Path) -> None:
    (tmp_path / "pred.jsonl").write_text('{"id": "1", "instruction": "a", "prediction": "b"}\n')
    (tmp_path / "notes.txt").write_text("instruction image edited\n")
    assert sources.gold(tmp_path / "pred.jsonl") is None
    assert sources.gold(tmp_path / "notes.txt") is None
    picture(tmp_path / "1.png", 1)
    (tmp_path / "gold.csv").write_text("instruction,image,edited\nmake it night,1.png,1.png\n")
    ((where, row),) = sources.gold(tmp_path / "gold.csv") or ()
    assert where.endswith("gold.csv:2") and row["image"] == str(tmp_path / "1.png")
    with pytest.raises(ZooError, match='the task "recolour"; expected none'):
        sources.gold(tmp_path / "gold.csv", "recolour")


def photos(root: Path, count: int) -> Path:
    for number in range(count):
        picture(root / f"{number}.png", number, (20 + number, 30))
    (root / "notes.md").write_text("mine")
    return root


def test_pairs_of_one_photo_stay_in_one_split(tmp_path: Path) -> None:
    source_recipe = recipe("photos", path=photos(tmp_path / "photos", 12), validation=0.2, test=0.2)
    built = data.build(source_recipe, tmp_path / "out")
    assert sum(table.num_rows for table in built.rows.values()) == 48, "four pairs of every photo, none dropped"
    pictures_by_split = {split: {row["image"] for row in split_rows} for split, split_rows in built.rows.items()}
    assert sum(map(len, pictures_by_split.values())) == len(set.union(*pictures_by_split.values())) == 12
    notes = [note for note in built.card["notes"] if "too few to tell models apart" not in note]
    assert notes == ["photos, train: 1 files passed over: no pictures by their names"]


def test_pairs_of_a_photo_are_made_reproducibly(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", 3)
    source_recipe = recipe("photos", path=root, options={"per_photo": 2, "operations": ["darken", "tint", "blur"]})
    first = rows(source_recipe)
    assert {row["kind"] for row in first} <= {"darken", "tint", "blur"} and len(first) == 6
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.png")}
    assert len(files) == 9
    assert rows(source_recipe) == first
    Path(first[0]["edited"]).unlink()
    picture(root / "new.png", 77)
    again = rows(source_recipe)
    assert again[:6] == first
    assert len(again) == 8
    dark = [row for row in first if row["kind"] == "darken"]
    for row in dark:
        assert np.array_equal(images.read(row["edited"]), np.rint(images.read(row["image"]) * 0.6))


def test_a_large_photo_is_shrunk_to_the_configured_side(tmp_path: Path) -> None:
    picture(tmp_path / "photos" / "wide.jpg", 1, (50, 200))
    built_rows = rows(recipe("photos", path=tmp_path / "photos", options={"photo_side": 64}))
    assert images.read(built_rows[0]["image"]).shape == (16, 64, 3)


def test_a_damaged_photo_is_an_error_or_skipped_and_counted(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", 2)
    (root / "1.png").write_bytes((root / "1.png").read_bytes()[:60])
    with pytest.raises(ZooError, match=r"photos/1.png: cannot read"):
        sources.build(recipe("photos", path=root))
    splits = sources.build(recipe("photos", path=root, options={"skip_damaged": True}))
    assert splits["train"].num_rows == 4
    assert "photos, train: 1 pairs left out: a picture is missing" in splits["train"].info.description


def test_several_sources_share_one_folder(tmp_path: Path) -> None:
    released(tmp_path / "released", 3)
    photos(tmp_path / "photos", 2)
    sizes = {"train": 2, "validation": 1, "test": 1}
    source_recipe = recipe("world", "released", "photos", path=tmp_path, sizes=sizes, options={"per_photo": 1})
    assert [row["source"] for row in rows(source_recipe)] == ["world"] * 2 + ["released"] * 3 + ["photos"] * 2
    assert list(sources.build(source_recipe, ("test",))) == ["test"]


def test_a_picture_of_two_sources_is_one_item(tmp_path: Path) -> None:
    root = released(tmp_path / "released", 2)
    for name in ("train", "test"):
        picture(tmp_path / "table" / f"{name}.png", 90 + len(name))
    before = root / "0000001" / "100_0.jpg"
    line = f"make it night,{before},{before}\n"
    (tmp_path / "table" / "test.csv").write_text(f"instruction,image,edited\n{line}")
    splits = sources.build(recipe("released", "table", path=tmp_path))
    assert splits["test"]["item"][0] == splits["train"]["item"][1] != splits["train"]["item"][0]


@pytest.mark.parametrize(
    ("source_recipe", "fault"),
    [
        (recipe("worlds"), 'no source "worlds"; did you mean "world"'),
        (recipe("pairs"), 'data.path: the source "pairs" is read from files'),
        (recipe("world", options={"skip_damage": True}), 'unknown setting "skip_damage"'),
        (recipe("photos", options={"operations": ["rotate"]}), "operations"),
        (recipe("table", path=Path("/nowhere/at/all")), "no such file"),
    ],
)
def test_an_invalid_setting_is_an_error(source_recipe: Recipe, fault: str) -> None:
    with pytest.raises(ZooError, match=fault):
        sources.build(source_recipe)
