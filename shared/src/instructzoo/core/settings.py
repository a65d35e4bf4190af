"""Settings: frozen, typed groups of values out of YAML. A fault is one line: the setting, its line, what would do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from instructzoo.core.errors import ZooError, place, suggest

PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", dict: "mapping", NoneType: "none"}


class Settings(BaseModel):
    """Base of all settings: frozen; an unknown key, an infinity or a NaN is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Part = TypeVar("Part", bound=Settings)


class _Loader(yaml.SafeLoader):
    """Safe YAML in which 1e-4 is a number, as everybody means it, and a key that is set twice is an error."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f'"{key.value}" is set twice', problem_mark=key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


class _Dumper(yaml.SafeDumper):
    """The counterpart: a text that looks like a number is quoted."""


for _kind in (_Loader, _Dumper):
    _exponent = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")
    _kind.add_implicit_resolver("tag:yaml.org,2002:float", _exponent, list("-+.0123456789"))


def parse(text: str, where: str) -> Any:
    """The value of a YAML text. Raises ZooError naming `where` and the line."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise ZooError(problem, "YAML", where=place(where, mark.line + 1 if mark else None)) from error
    except (ValueError, TypeError) as error:  # such as a date of month 13, or a key that is a list
        raise ZooError(str(error), "YAML", where=where) from error


def dump(values: Mapping[str, Any]) -> str:
    """YAML that `parse` reads back."""
    text: str = yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


def read(path: Path, overrides: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
    """Values of a YAML file with overrides such as `train.lr=1e-4` put in, and the file's text."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ZooError(f"cannot read: {error}", "a YAML file", where=str(path)) from error
    values = parse(text, str(path))
    if not isinstance(values, dict):
        raise ZooError(f"found {type(values).__name__}", "a mapping of settings", where=str(path))
    for override in overrides:
        put(values, override)
    return values, text


def put(values: dict[str, Any], override: str) -> None:
    """Set one value of nested groups by an override such as `train.lr=1e-4`. Raises ZooError for another form."""
    dotted, equals, raw = override.partition("=")
    if not equals or not all(dotted.split(".")):
        raise ZooError(f'override "{override}"', "dotted.key=value, such as train.lr=1e-4")
    *parents, last = dotted.split(".")
    spot = values
    for parent in parents:
        spot = spot.setdefault(parent, {})
        if not isinstance(spot, dict):
            raise ZooError(f'override "{override}": "{parent}" holds one value', "a group of settings")
    spot[last] = parse(raw, f'override "{override}"')


def validate_part(model: type[Part], values: Mapping[str, Any], where: str) -> Part:
    """Domain settings such as `data.world`, with the same errors as a recipe."""
    return validate(model, values, where)


def validate(
    model: type[Part], values: Mapping[str, Any], where: str = "", text: str = "", overrides: Sequence[str] = ()
) -> Part:
    """Settings of plain values. Raises ZooError for the first fault.

    It names the setting, and the override or (with the file's `text`) the line that the value came from.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _explain(error, model, where, text, overrides) from error


def _explain(
    error: ValidationError, model: type[Settings], where: str, text: str, overrides: Sequence[str]
) -> ZooError:
    first = error.errors()[0]
    names = _setting(model, first["loc"])
    dotted = ".".join(names)
    if override := _override_of(dotted, overrides):
        where = f'override "{override}"'
    elif line := _line_of(text, names):
        where = place(where, line)
    if first["type"] == "extra_forbidden":
        *parents, last = names
        group = ".".join(parents) or "this file"
        known = f"the settings of {group} are in docs/recipes.md"
        return ZooError(f'unknown setting "{dotted}"', suggest(last, _fields(model, parents)), known, where)
    if first["type"] == "missing":
        return ZooError(f'no setting "{dotted}"', "a value for it", where=where)
    if first["type"] == "value_error":
        return ZooError(f"{dotted}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": "), where=where)
    # A union reports every member that did not fit.
    same = [e["msg"].removeprefix("Input should be ") for e in error.errors() if _setting(model, e["loc"]) == names]
    found = json.dumps(first["input"], default=str, ensure_ascii=False)
    return ZooError(f"{dotted} = {found}", " or ".join(dict.fromkeys(same)), where=where)


def _setting(model: type[Settings], location: Sequence[str | int]) -> list[str]:
    """The dotted name in pydantic's location, without the tags that it adds for members of unions."""
    names: list[str] = []
    group: Any = model
    for part in location:
        if isinstance(part, str) and group is None:
            continue
        names.append(str(part))
        group = _group(group, part)
    return names


def _group(model: Any, name: str | int) -> type[Settings] | None:
    """The group of settings that `name` is in `model`; none where it is a plain value."""
    info = model.model_fields.get(name) if model else None
    kind = info.annotation if info else None
    return kind if isinstance(kind, type) and issubclass(kind, Settings) else None


def _fields(model: type[Settings] | None, parents: Sequence[str]) -> list[str]:
    for name in parents:
        model = _group(model, name)
    return list(model.model_fields) if model else []


def _override_of(dotted: str, overrides: Sequence[str]) -> str | None:
    """The last override that set `dotted`, or a group around it."""
    keys = {override.partition("=")[0]: override for override in overrides}
    return next((keys[key] for key in reversed(keys) if f"{dotted}.".startswith(f"{key}.")), None)


def _line_of(text: str, names: Sequence[str]) -> int | None:
    """Line of a dotted setting in the YAML text, by its nodes' marks; of the nearest group where it is not there."""
    node = yaml.compose(text, Loader=_Loader) if text else None
    line = None
    for name in names:
        if not isinstance(node, yaml.MappingNode):
            break
        pair = next(((k, v) for k, v in node.value if k.value == name), None)
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line


def table(model: type[Settings], prefix: str = "") -> Iterator[str]:
    """Markdown lines of a reference: every setting of a group and its groups, with type, default and meaning."""
    lines = ["| setting | type | default | meaning |", "| --- | --- | --- | --- |"]
    groups = []
    for name, info in model.model_fields.items():
        if group := _group(model, name):
            groups.append((f"{prefix}{name}", group))
            continue
        default = "required" if info.is_required() else f"`{json.dumps(info.default, default=str)}`"
        meaning = (info.description or "").replace("|", "\\|")
        lines.append(
            f"| `{prefix}{name}` | {_kind_of(info.annotation)} | {default.replace('`null`', 'none')} | {meaning} |"
        )
    yield from [*lines, ""]
    for name, group in groups:
        yield from [f"## {name}", "", *table(group, f"{name}.")]


def _kind_of(annotation: Any) -> str:
    """A type in words."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind_of(args[0])
    if origin in (Union, UnionType):
        return " or ".join(map(_kind_of, args))
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in args)
    if origin is tuple:
        inner = _kind_of(args[0])
        return f"list of {inner}" if args[-1] is Ellipsis else f"[{', '.join(map(_kind_of, args))}]"
    return PLAIN.get(origin or annotation, str(annotation))
