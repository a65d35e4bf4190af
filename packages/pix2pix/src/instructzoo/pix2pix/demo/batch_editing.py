"""Many edits at once: pictures or zips of them with one instruction, or files of rows -> a zip of PNGs and JSON lines.

    rows.jsonl      {"image": "a.png", "instruction": "make the circle blue"}
    rows.csv        columns image and instruction
    edits.jsonl     {"number": 1, "name": "a.png", "instruction": "...", "edited": "0001-a.png", "seed": 0, ...}

A row names a picture that was sent with it, or holds it as a data URI; no row opens a file of this machine. Where rows
are sent, pictures beside them are only those that rows name. What cannot be asked has a line too, with the error.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid
from instructzoo.pix2pix import images
from instructzoo.pix2pix.demo.edit_request import Chosen, Edited, Editor, instructed, opened, pictures, row
from instructzoo.pix2pix.demo.rendering import png
from instructzoo.pix2pix.images import Pixels

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
ROWS = (".jsonl", ".csv")
SUFFIXES = (*PICTURES, *ROWS, ".zip")
MOST = 200
"""Edits of one batch, and files of one zip."""
MAX_BYTES = 20_000_000
"""Of one file of a zip, unpacked."""
TOGETHER = 8
"""Edits that the model is asked for at once."""
NAMED, PREVIEWED = 5, 8
"""Faults that the summary names, and edits that it shows."""

Sent = dict[str, Path]
"""Files by the names that they were sent under."""


@dataclass(frozen=True)
class Asked:
    """One edit of a batch. fault: why it cannot be asked, or ""."""

    name: str
    instruction: str = ""
    pixels: Pixels | None = None
    fault: str = ""


@dataclass
class Outcome:
    """What became of a batch so far. faults: the first NAMED of them by name; shown: the first PREVIEWED edits."""

    lines: Path
    archive: Path
    total: int
    edited: int = 0
    faulty: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)
    shown: list[Edited] = field(default_factory=list)

    @property
    def done(self) -> float:
        """Share that is answered."""
        return (self.edited + self.faulty) / self.total


def unpacked(paths: Sequence[Path], folder: Path) -> Sent:
    """The files that were sent, those of zips put into `folder` under numbers.

    Raises ZooError for a broken or an enormous zip, a file of another kind, and two files of one name.
    """
    sent = Sent()
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            raise ZooError(f'"{path.name}" is none of {", ".join(SUFFIXES)}.')
        found = _unzipped(path, folder) if path.suffix.lower() == ".zip" else {path.name: path}
        if twice := sent.keys() & found.keys():
            raise ZooError(f'Two files are called "{min(twice)}"; rename one.')
        sent |= found
    return sent


def _unzipped(path: Path, folder: Path) -> Sent:
    sent, first = Sent(), len(list(folder.iterdir()))
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if _wanted(PurePosixPath(m.filename))]
            if len(members) > MOST:
                raise ZooError(f'"{path.name}" holds {len(members):,} files; this page takes {MOST} at a time.')
            for number, member in enumerate(members, first):
                with archive.open(member) as file:
                    content = file.read(MAX_BYTES + 1)
                if len(content) > MAX_BYTES:
                    raise ZooError(f'"{member.filename}" has more than {MAX_BYTES // 10**6} MB.')
                sent[member.filename] = folder / f"{number}{PurePosixPath(member.filename).suffix.lower()}"
                sent[member.filename].write_bytes(content)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise ZooError(f'"{path.name}" cannot be unpacked ({str(error)[:80]}).') from error
    return sent


def _wanted(name: PurePosixPath) -> bool:
    return name.suffix.lower() in (*PICTURES, *ROWS) and not name.name.startswith("._")  # of macOS


def count(sent: Sent) -> int:
    """Edits that files ask for. Raises ZooError for none and for more than MOST."""
    tables = [path for path in sent.values() if path.suffix.lower() in ROWS]
    found = sum(sum(1 for _ in _rows(path)) for path in tables) if tables else len(sent)
    if not found:
        raise ZooError(f"There is no picture and no row; send {', '.join(SUFFIXES)}.")
    if found > MOST:
        raise ZooError(f"{found:,} edits; this page does {MOST} at a time. zoo predict pix2pix takes more.")
    return found


def asked(sent: Sent, instruction: str) -> Iterator[Asked]:
    """The edits, one at a time. instruction: of pictures, and of rows without one."""
    tables = {name: path for name, path in sent.items() if path.suffix.lower() in ROWS}
    for name, path in sent.items() if not tables else ():
        yield _asked(name, instruction, path)
    for name, path in tables.items():
        for number, found in _rows(path):
            yield _of_row(f"{name}, line {number}", found, instruction, sent)


def _asked(name: str, instruction: str, path: Path | None, uri: str = "") -> Asked:
    try:
        pixels, _ = opened(uri or path)
        return Asked(name, instructed(instruction), pixels)
    except ZooError as error:
        return Asked(name, instruction, fault=str(error))


def _of_row(name: str, found: Mapping[str, Any] | str, instruction: str, sent: Sent) -> Asked:
    if isinstance(found, str):
        return Asked(name, fault=found)
    own, reference = found.get("instruction") or instruction, found.get("image")
    if not isinstance(own, str) or not isinstance(reference, str) or not reference:
        return Asked(name, fault='A row has "image" and "instruction", both as text.')
    if reference.startswith(images.PREFIX):
        return _asked(name, own, None, reference)
    near = [key for key in sent if key == reference] or [key for key in sent if _base(key) == _base(reference)]
    if len(near) != 1:
        fault = "Several pictures are" if near else "No picture is"
        return Asked(name, own, fault=f'{fault} called "{reference[:60]}" among the files that were sent.')
    return replace(_asked(near[0], own, sent[near[0]]), name=near[0])


def _base(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """(line, row) of a file of rows; a text in place of a row says what is wrong with its line."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    if path.suffix.lower() == ".csv":
        reader = csv.DictReader(io.StringIO(text))
        try:
            for found in reader:
                yield reader.line_num, found
        except csv.Error as error:
            yield reader.line_num, f"Malformed CSV ({error})."
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _object(line)


def _object(line: str) -> Mapping[str, Any] | str:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"Malformed JSON ({str(error)[:80]})."
    return found if isinstance(found, dict) else "A line of JSON is no object."


def edit_all(predictor: Editor, edits: Iterable[Asked], total: int, chosen: Chosen, folder: Path) -> Iterator[Outcome]:
    """Answer every edit into edits.zip and edits.jsonl of the folder; the outcome after every block.

    The files are whole once nothing comes any more.
    """
    outcome = Outcome(folder / "edits.jsonl", folder / "edits.zip", total)
    held, source, number = chosen.held(predictor), iter(edits), 0
    with outcome.lines.open("w", encoding="utf-8") as lines, zipfile.ZipFile(outcome.archive, "w") as archive:
        while block := list(islice(source, TOGETHER)):
            for one, after in zip(block, _answers(held, block), strict=True):
                number += 1
                line: dict[str, Any] = {"number": number, "name": one.name, "instruction": one.instruction}
                if isinstance(after, str) or one.pixels is None:
                    _refuse(outcome, one.name, str(after))
                    line["error"] = after
                else:
                    made = Edited(one.pixels, after, one.instruction, chosen)
                    line |= {"edited": _file(number, one.name), **asdict(chosen)}
                    archive.writestr(line["edited"], png(made))
                    outcome.edited += 1
                    outcome.shown += [made] if len(outcome.shown) < PREVIEWED else []
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            yield outcome
        lines.flush()
        archive.write(outcome.lines, outcome.lines.name)


def _refuse(outcome: Outcome, name: str, why: str) -> None:
    outcome.faulty += 1
    if len(outcome.faults) < NAMED:
        outcome.faults.append((name, why))


def _answers(held: Editor, block: Sequence[Asked]) -> list[Pixels | str]:
    """A picture, or what is wrong, for each. Where the block cannot be asked, every edit is asked alone."""
    rows = [row(one.pixels, one.instruction) for one in block if one.pixels is not None]
    try:
        found = iter(pictures(held, rows) if rows else [])
    except ZooError:
        found = iter([_alone(held, one) for one in rows])
    made = [Invalid(one.fault) if one.pixels is None else next(found) for one in block]
    return [one.reason if isinstance(one, Invalid) else one for one in made]


def _alone(held: Editor, one: dict[str, Any]) -> Pixels | Invalid:
    try:
        return pictures(held, [one])[0]
    except ZooError as error:
        return Invalid(str(error))


def _file(number: int, name: str) -> str:
    """0001-a.png: what the edited picture is called."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePosixPath(_base(name)).stem)[:40].strip(".-")
    return f"{number:04}-{stem or 'picture'}.png"
