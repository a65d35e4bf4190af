"""JSON objects are found whichever way they stand in a file."""

from pathlib import Path

import pytest

from instructzoo.core.data.json_objects import objects, single_object
from instructzoo.core.errors import ZooError


@pytest.mark.parametrize(
    ("name", "content", "places"),
    [
        ("a.jsonl", '{"n": 1}\n\n{"n": 2}\n', [":1", ":3"]),
        ("a.json", '[{"n": 1},\n{"n": 2}]', [":1, object 1", ":2, object 2"]),
        ("a.json", '{"n": 1}\n{"n": 2}\n', [":1", ":2"]),
        ("a.json", '{\n"n": 1\n}', [""]),
    ],
)
def test_objects_of_lines_of_a_list_and_alone(tmp_path: Path, name: str, content: str, places: list[str]) -> None:
    path = tmp_path / name
    path.write_text(content)
    read = list(objects(path))
    assert [values["n"] for _, values in read] == list(range(1, len(places) + 1))
    assert [where for where, _ in read] == [f"{path}{place}" for place in places]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1,\n"b": }', r"a.json:2: malformed JSON \(Expecting value\)"),
        (b'{"a": 1, "a": 2}', 'a.json: malformed JSON .*"a" stands twice'),
        (b'{"a": NaN}', "a.json: malformed JSON .*NaN"),
        (b'{"a":\n"\xff"}', "a.json:2: byte 0xff is not UTF-8"),
        (b"[1]", "a.json: found a list; expected one JSON object"),
        (b'{"a":' * 9000, "a.json: malformed JSON"),
        (b"", "a.json:1: malformed JSON"),
    ],
)
def test_a_file_that_is_no_single_object_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ZooError, match=message):
        single_object(path)
