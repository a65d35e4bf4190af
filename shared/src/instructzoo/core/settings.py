"""Settings: frozen, typed groups of values from YAML. An error is one line with setting, place and expectation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from instructzoo.core.errors import ZooError, location, suggest

TYPE_NAMES = {str: "str", int: "int", float: "float", bool: "bool", dict: "mapping", date: "date", NoneType: "none"}
"""Types as the reference page names them."""


class Settings(BaseModel):
    """Base of all settings: frozen; an unknown key, an infinity or a NaN is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Group = TypeVar("Group", bound=Settings)


class _Loader(yaml.SafeLoader):
    """Safe YAML in which 1e-4 is a number (YAML 1.1 reads it as text) and a key that is set twice is an error."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = set()
        for key, _ in node.value:
            if key.value in keys:
                raise yaml.MarkedYAMLError(problem=f'"{key.value}" is set twice', problem_mark=key.start_mark)
            keys.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


class _Dumper(yaml.SafeDumper):
    """The counterpart of `_Loader`: a text that looks like a number is quoted."""


for _yaml_class in (_Loader, _Dumper):
    _exponent = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")
    _yaml_class.add_implicit_resolver("tag:yaml.org,2002:float", _exponent, list("-+.0123456789"))


def parse(text: str, where: str) -> Any:
    """Parse a YAML text.

    Args:
        text: The YAML text.
        where: What the text is, for error messages: a file or an override.

    Returns:
        The value: a mapping, a list or a scalar.

    Raises:
        ZooError: The text is no YAML; the error names `where` and the line.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise ZooError(problem, "YAML", where=location(where, mark.line + 1 if mark else None)) from error
    except (ValueError, TypeError, RecursionError) as error:  # such as a date of month 13, or thousands of brackets
        raise ZooError(str(error), "YAML", where=where) from error


def dump(values: Mapping[str, Any]) -> str:
    """YAML that `parse` reads back to the same values."""
    text: str = yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


def read(path: Path, overrides: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
    """Read a YAML file and apply overrides.

    Args:
        path: The file.
        overrides: Settings such as `train.lr=1e-4`; later ones win.

    Returns:
        The values with the overrides applied, and the text of the file.

    Raises:
        ZooError: The file cannot be read or holds no mapping, or an override is malformed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ZooError(f"cannot read: {error}", "a YAML file", where=str(path)) from error
    values = parse(text, str(path))
    if not isinstance(values, dict):
        raise ZooError(f"found {type(values).__name__}", "a mapping of settings", where=str(path))
    for override in overrides:
        apply_override(values, override)
    return values, text


def apply_override(values: dict[str, Any], override: str) -> None:
    """Set one value in nested groups, in place.

    Args:
        values: The groups; missing ones are created.
        override: `dotted.key=value`, the value in YAML, such as `train.lr=1e-4`.

    Raises:
        ZooError: The override is of another form, or runs through a setting that is no group.
    """
    dotted, equals, yaml_text = override.partition("=")
    if not equals or not all(dotted.split(".")):
        raise ZooError(f'override "{override}"', "dotted.key=value, such as train.lr=1e-4")
    *parents, name = dotted.split(".")
    group = values
    for parent in parents:
        group = group.setdefault(parent, {})
        if not isinstance(group, dict):
            raise ZooError(f'override "{override}": "{parent}" holds one value', "a group of settings")
    group[name] = parse(yaml_text, f'override "{override}"')


def validate_settings(model: type[Group], values: Mapping[str, Any], where: str) -> Group:
    """Validate a domain's own settings, with the same errors as a recipe.

    Args:
        model: The class of the settings, such as `world.Settings`.
        values: The plain values, such as `recipe.data.world`.
        where: The dotted name of the group, such as "data.world".

    Returns:
        The settings.

    Raises:
        ZooError: A setting is unknown, missing or of a bad value.
    """
    return validate(model, values, where)


def validate(
    model: type[Group],
    values: Mapping[str, Any],
    where: str = "",
    text: str = "",
    overrides: Sequence[str] = (),
    aliases: Mapping[str, object] | None = None,
) -> Group:
    """Validate plain values.

    Args:
        model: The class of the settings.
        values: The plain values.
        where: Where they come from: a file or a group.
        text: The YAML text of that file, which gives the line of an error.
        overrides: The overrides that `values` already holds; an error in one of them names it.
        aliases: For names of settings in other trainers, a text that says what to use instead (settings_aliases.py).

    Returns:
        The settings.

    Raises:
        ZooError: The first error found: its setting, and the override, or the file and line, that it comes from.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _explain(error, model, where, text, overrides, aliases or {}) from error


def _explain(
    error: ValidationError,
    model: type[Settings],
    where: str,
    text: str,
    overrides: Sequence[str],
    aliases: Mapping[str, object],
) -> ZooError:
    """The error of one line for what pydantic reports."""
    details = error.errors()
    # A known name of another trainer says more than the settings that are missing because of it.
    misnamed = [detail for detail in details if detail["type"] == "extra_forbidden" and detail["loc"][-1] in aliases]
    first = (misnamed or details)[0]
    names = _setting(model, first["loc"])
    dotted = ".".join(names)
    if override := _override_of(dotted, overrides):
        where = f'override "{override}"'
    elif line := _line_of(text, names):
        where = location(where, line)
    if first["type"] == "extra_forbidden":
        *parents, name = names
        group = ".".join(parents) or "this file"
        hint = str(aliases[name]) if name in aliases else suggest(name, _fields(model, parents))
        fix = (
            "all settings are in docs/recipes.md"
            if name in aliases
            else f"the settings of {group} are in docs/recipes.md"
        )
        return ZooError(f'unknown setting "{dotted}"', hint, fix, where)
    if first["type"] == "missing":
        return ZooError(f'no setting "{dotted}"', "a value for it", where=where)
    if first["type"] == "value_error":
        return ZooError(f"{dotted}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": "), where=where)
    # A union reports every member that did not fit.
    expected = [d["msg"].removeprefix("Input should be ") for d in details if _setting(model, d["loc"]) == names]
    value = json.dumps(first["input"], default=str, ensure_ascii=False)
    words = " or ".join(dict.fromkeys(expected)).replace("a valid tuple", "a list, such as [first, second]")
    return ZooError(f"{dotted} = {value}", words, where=where)


def _setting(model: type[Settings], steps: Sequence[str | int]) -> list[str]:
    """The dotted name in pydantic's location, without the tags that it adds for members of unions."""
    names: list[str] = []
    group: Any = model
    for step in steps:
        if isinstance(step, str) and group is None:
            continue
        names.append(str(step))
        group = _group(group, step)
    return names


def _group(model: Any, name: str | int) -> type[Settings] | None:
    """The group of settings that `name` is in `model`; None where it is a plain value."""
    info = model.model_fields.get(name) if model else None
    annotation = info.annotation if info else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, Settings) else None


def _fields(model: type[Settings] | None, parents: Sequence[str]) -> list[str]:
    """The names of the settings in a nested group."""
    for name in parents:
        model = _group(model, name)
    return list(model.model_fields) if model else []


def _override_of(dotted: str, overrides: Sequence[str]) -> str | None:
    """The last override that set `dotted`, or a group around it."""
    by_key = {override.partition("=")[0]: override for override in overrides}
    return next((by_key[key] for key in reversed(by_key) if f"{dotted}.".startswith(f"{key}.")), None)


def _line_of(text: str, names: Sequence[str]) -> int | None:
    """The line of a dotted setting in the YAML text, or of the nearest group around it where it is not there."""
    node = yaml.compose(text, Loader=_Loader) if text else None
    line = None
    for name in names:
        if not isinstance(node, yaml.MappingNode):
            break
        pair = next(((key, value) for key, value in node.value if key.value == name), None)
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line


def table(model: type[Settings], prefix: str = "") -> Iterator[str]:
    """The reference of a group of settings and of the groups inside it.

    Args:
        model: The class of the settings.
        prefix: The dotted name of the group with its final dot, such as "train.".

    Yields:
        Markdown lines: a table of setting, type, default and meaning, then a section for each inner group.
    """
    lines = ["| setting | type | default | meaning |", "| --- | --- | --- | --- |"]
    groups = []
    for name, info in model.model_fields.items():
        if group := _group(model, name):
            groups.append((f"{prefix}{name}", group))
            continue
        default = "required" if info.is_required() else f"`{json.dumps(info.default, default=str)}`"
        meaning = (info.description or "").replace("|", "\\|")
        lines.append(
            f"| `{prefix}{name}` | {_type_name(info.annotation)} | {default.replace('`null`', 'none')} | {meaning} |"
        )
    yield from [*lines, ""]
    for name, group in groups:
        yield from [f"## {name}", "", *table(group, f"{name}.")]


def _type_name(annotation: Any) -> str:
    """A type as the reference page writes it, such as `list of str or none`."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(args[0])
    if origin in (Union, UnionType):
        return " or ".join(map(_type_name, args))
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in args)
    if origin is tuple:
        return f"list of {_type_name(args[0])}" if args[-1] is Ellipsis else f"[{', '.join(map(_type_name, args))}]"
    return TYPE_NAMES.get(origin or annotation, str(annotation))
