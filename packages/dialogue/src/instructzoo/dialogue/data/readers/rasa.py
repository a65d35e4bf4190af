"""Rasa's training data for understanding, in YAML.

    nlu:
    - intent: book_train
      examples: |
        - from [Oslo](city) to [Bergen]{"entity": "city", "role": "to"}
        - a train, please

An entity is a slot; with a role it is the slot "role.entity" ("to.city"). Its value is the text between the brackets.
What is left out is counted: synonyms and groups of entities, and whatever in the file is no example of an intent, such
as lookup tables, regular expressions and stories. An example may be an object with text and metadata, whose texts
become labels of the turn. Where no example has an entity, slots are not annotated.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from instructzoo.core.data import strict_json
from instructzoo.core.data.line_files import lines, malformed
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError, location, suggest
from instructzoo.dialogue.data.readers.base import Beginning, utterance
from instructzoo.dialogue.schema import Dialogue

SYNONYM = "synonyms of entities, left out: the value is the text"
GROUP = "groups of entities, left out"
METADATA = "metadata other than texts, left out"

SECTIONS = {"synonym": "synonyms", "lookup": "lookup tables", "regex": "regular expressions"}
"""What may stand in `nlu` beside intents, in words."""

OTHER_PARTS = (
    "version", "intents", "entities", "slots", "responses", "forms", "actions", "stories", "rules", "e2e_actions",
    "session_config", "config",
)  # fmt: skip
"""What may stand in a file beside `nlu`."""

_BEGINNING = re.compile(r"^nlu[ \t]*:", re.MULTILINE)
_ENTITY = re.compile(r"\[([^\]\[]+)\](?:\(([^:()]+)(:[^()]*)?\)|(\{[^}]*\})|(\[\s*\{.*?\}\s*\]))")
_LIKE_ENTITY = re.compile(r"\[[^\]]*\](?:[({]|\[\s*\{)")
_ENTITY_FORM = '[Oslo](city) or [Oslo]{"entity": "city", "role": "to"}'


class _Example(NamedTuple):
    """An example with its marks, of an intent."""

    intent: str
    text: str
    labels: dict[str, str]
    where: str


def matches(beginning: Beginning) -> bool:
    """Whether the file is YAML with a part `nlu`."""
    return beginning.path.suffix.lower() in (".yml", ".yaml") and bool(_BEGINNING.search(beginning.text))


def read(path: Path) -> Iterator[Dialogue]:
    """The examples of a file's intents.

    Args:
        path: The YAML file.

    Yields:
        A dialogue of one turn for each example; what the file holds beside is counted in the remarks of the first.

    Raises:
        ZooError: With file:line for malformed YAML, aliases, unknown sections, and malformed examples and entities.
    """
    remarks: list[str] = []
    examples = list(_examples(path, remarks))
    if not examples:
        raise ZooError("no example of an intent", "an intent with examples under nlu", "add some", str(path))
    parsed = [_parsed(example.text, example.where) for example in examples]
    annotated = any(spans for _, spans, _ in parsed)
    for example, (text, spans, own_remarks) in zip(examples, parsed, strict=True):
        slots = spans if annotated else None
        all_remarks = [*remarks, *own_remarks]
        yield utterance(text, example.where, example.intent, slots, example.labels, remarks=all_remarks)
        remarks = []


def _examples(path: Path, remarks: list[str]) -> Iterator[_Example]:
    """The examples of all intents; what is left out is told to `remarks`."""
    root = _Nodes(path)
    parts = root.mapping(root.tree)
    for key in parts:
        if key not in ("nlu", *OTHER_PARTS):
            raise ZooError(
                f'the part "{shorten(key)}"', suggest(key, ("nlu", *OTHER_PARTS)), "", root.where(parts[key])
            )
    if others := [key for key in parts if key not in ("nlu", "version")]:
        remarks.append(f"other parts of the file, left out: {', '.join(others)}")
    for section in root.items(parts.get("nlu")):
        values = root.mapping(section)
        kind = next((name for name in ("intent", *SECTIONS) if name in values), None)
        if kind is None:
            expected = f"intent, {', '.join(SECTIONS)}"
            raise ZooError(f"a section with {', '.join(values) or 'nothing'}", expected, "", root.where(section))
        if kind != "intent":
            remarks.append(f"{SECTIONS[kind]}, left out")
            continue
        intent = root.text(values["intent"]).strip()
        if not intent:
            raise ZooError("an intent without name", "a name", "write it", root.where(section))
        if "metadata" in values:
            remarks.append(METADATA)
        if unknown := [key for key in values if key not in ("intent", "examples", "metadata")]:
            expected = suggest(unknown[0], ("intent", "examples", "metadata"))
            raise ZooError(f'the key "{shorten(unknown[0])}"', expected, "", root.where(section))
        yield from _of_intent(intent, values.get("examples"), root, remarks)


def _of_intent(intent: str, node: Any, root: _Nodes, remarks: list[str]) -> Iterator[_Example]:
    if node is None or root.is_text(node):
        for where, line in root.text_lines(node) if node is not None else ():
            text = line.strip()
            if text and not text.startswith("- ") and text != "-":
                raise malformed(text, 'an example that begins with "- "', where)
            if text:
                yield _Example(intent, text[1:].strip(), {}, where)
        return
    for item in root.items(node):
        if root.is_text(item):
            yield _Example(intent, root.text(item).strip(), {}, root.where(item))
            continue
        values = root.mapping(item)
        if unknown := [key for key in values if key not in ("text", "metadata")]:
            raise ZooError(f'the key "{shorten(unknown[0])}"', "text and metadata", "", root.where(item))
        if "text" not in values:
            raise ZooError("an example without text", 'an object with "text"', "add it", root.where(item))
        labels = root.mapping(values["metadata"]) if "metadata" in values else {}
        texts = {name: root.text(label) for name, label in labels.items() if root.is_text(label)}
        remarks += [METADATA] * (len(labels) - len(texts))
        text = root.text(values["text"]).strip()
        yield _Example(intent, text.removeprefix("- ").strip(), texts, root.where(values["text"]))


def _parsed(marked: str, where: str) -> tuple[str, list[tuple[str, int, int]], list[str]]:
    """The text of an example without marks, its slots as (name, start, end), and remarks."""
    pieces: list[str] = []
    spans: list[tuple[str, int, int]] = []
    remarks: list[str] = []
    read_up_to = length = 0
    for match in _ENTITY.finditer(marked):
        pieces += [marked[read_up_to : match.start()], match[1]]
        length += match.start() - read_up_to
        for entity in _entities(match, where):
            name = f"{entity['role']}.{entity['entity']}" if entity.get("role") else entity["entity"]
            spans.append((name, length, length + len(match[1])))
            remarks += [SYNONYM] * ("value" in entity) + [GROUP] * ("group" in entity)
        length, read_up_to = length + len(match[1]), match.end()
    text = "".join([*pieces, marked[read_up_to:]])
    rest = " ".join(_ENTITY.split(marked)[:: _ENTITY.groups + 1])
    if found := _LIKE_ENTITY.search(rest):
        raise malformed(rest[found.start() :], _ENTITY_FORM, where)
    return text, spans, remarks


def _entities(match: re.Match[str], where: str) -> list[Mapping[str, str]]:
    """The entities of a marked text: several where a list of objects stands behind it."""
    if match[2]:
        return [{"entity": match[2].strip()} | ({"value": match[3][1:]} if match[3] else {})]
    try:
        values = strict_json.parse(match[4] or match[5])
    except (ValueError, RecursionError) as error:
        raise ZooError(f"malformed JSON in {shorten(match[0])}", _ENTITY_FORM, "correct it", where) from error
    entities = values if isinstance(values, list) else [values]
    for entity in entities:
        known = isinstance(entity, dict) and {"entity"} <= set(entity) <= {"entity", "role", "group", "value"}
        if not known or not all(isinstance(value, str) for value in entity.values()):
            raise malformed(match[0], _ENTITY_FORM, where)
    return entities


class _Nodes:
    """The nodes of a YAML file, of which no object is ever made: every scalar is a text, and each has its line.

    Args:
        path: The file.

    Attributes:
        tree: The root node.

    Raises:
        ZooError: With file:line for malformed YAML.
    """

    def __init__(self, path: Path) -> None:
        import yaml

        self._path = path
        self._seen = Counter[int]()
        try:
            self.tree: Any = yaml.compose("\n".join(line for _, line in lines(path)), yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "nested too deep, or a character that YAML does not allow"
            where = location(path, mark.line + 1 if mark else None)
            raise ZooError(f"malformed YAML: {problem}", "Rasa's YAML", "correct the file", where) from error

    def where(self, node: Any) -> str:
        """file:line of a node."""
        return location(self._path, node.start_mark.line + 1)

    def is_text(self, node: Any) -> bool:
        """Whether a node is a scalar."""
        return bool(node.id == "scalar")

    def text(self, node: Any) -> str:
        """The text of a scalar. Raises ZooError for any other node."""
        if not self.is_text(node):
            raise ZooError(f"found a {node.id}", "a text", "correct the file", self.where(node))
        return str(node.value)

    def text_lines(self, node: Any) -> Iterator[tuple[str, str]]:
        """The lines of a scalar with their places, exact for literal blocks (|)."""
        literal = node.style == "|"
        for number, line in enumerate(self.text(node).split("\n")):
            yield location(self._path, node.start_mark.line + (number + 2 if literal else 1)), line

    def items(self, node: Any) -> list[Any]:
        """The items of a sequence; none where there is no node. Raises ZooError for any other node."""
        if node is None or (self.is_text(node) and not node.value):
            return []
        return list(self._once(node, "sequence"))

    def mapping(self, node: Any) -> dict[str, Any]:
        """The nodes of a mapping by key. Raises ZooError for any other node, and for a key that stands twice."""
        values: dict[str, Any] = {}
        for key, value in self._once(node, "mapping"):
            name = self.text(key)
            if name in values:
                raise ZooError(f'the key "{shorten(name)}" twice', "each key once", "leave one out", self.where(key))
            values[name] = value
        return values

    def _once(self, node: Any, kind: str) -> Any:
        """The content of a node, which no alias may repeat: a few lines of aliases stand for millions of examples."""
        if node is None or node.id != kind:
            where = str(self._path) if node is None else self.where(node)
            raise ZooError(f"found {'nothing' if node is None else f'a {node.id}'}", f"a {kind}", "correct it", where)
        self._seen[id(node)] += 1
        if self._seen[id(node)] > 1:
            raise ZooError("an alias (*)", "content without aliases", "write it out", self.where(node))
        return node.value
