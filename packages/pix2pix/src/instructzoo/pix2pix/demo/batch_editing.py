"""Many edits at once: pictures with one instruction, or files of rows, become a zip of PNGs and JSON Lines.

    rows.jsonl      {"image": "a.png", "instruction": "make the circle blue"}
    rows.csv        columns image and instruction
    edits.jsonl     {"number": 1, "name": "a.png", "instruction": "...", "edited": "0001-a.png", "seed": 0, ...}

A row names an uploaded picture or contains it as a data URI; no row can open a file of this machine. If rows are
uploaded, only the pictures that they name are edited. A failed edit has a line too, with the error.
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
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from instructzoo.core.answers.blocks import Faults, answer_or_reason, blocks
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid
from instructzoo.pix2pix import images
from instructzoo.pix2pix.demo.rendering import png_bytes
from instructzoo.pix2pix.edit_request import (
    EditingPredictor,
    EditResult,
    EditSettings,
    check_instruction,
    edit_rows,
    make_row,
    open_picture,
)
from instructzoo.pix2pix.images import Pixels

ROW_SUFFIXES = (".jsonl", ".csv")
SUFFIXES = (*images.SUFFIXES, *ROW_SUFFIXES, ".zip")
MAX_EDITS = 200
"""Edits of one batch, and files of one zip."""
MAX_BYTES = 20_000_000
"""Largest unpacked size of a file in a zip."""
BATCH_SIZE = 8
"""Edits of one call of the model."""
MAX_PREVIEWS = 8
"""Edits that the summary shows."""

Uploads = dict[str, Path]
"""Files by the names that they were uploaded under."""


@dataclass(frozen=True)
class EditRequest:
    """One edit of a batch. error: why it cannot be made, or ""."""

    name: str
    instruction: str = ""
    pixels: Pixels | None = None
    error: str = ""


@dataclass
class BatchResult:
    """What has become of a batch so far.

    Attributes:
        lines: The JSON Lines file.
        archive: The zip file of the edited pictures.
        total: Number of requested edits.
        n_edited: Edits that were made.
        faults: Edits that could not be made.
        previews: The first MAX_PREVIEWS edits.
    """

    lines: Path
    archive: Path
    total: int
    n_edited: int = 0
    faults: Faults = field(default_factory=Faults)
    previews: list[EditResult] = field(default_factory=list)

    @property
    def n_done(self) -> int:
        """Edits that were made or refused."""
        return self.n_edited + self.faults.count


def unpack(paths: Sequence[Path], folder: Path) -> Uploads:
    """The uploaded files, with those of zips unpacked into `folder` under numbers.

    Raises:
        ZooError: A zip is broken or too large, a file has an unsupported suffix, or two files have one name.
    """
    uploads = Uploads()
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            raise ZooError(f'"{path.name}" is none of {", ".join(SUFFIXES)}.')
        files = _unzip(path, folder) if path.suffix.lower() == ".zip" else {path.name: path}
        if duplicates := uploads.keys() & files.keys():
            raise ZooError(f'Two files are called "{min(duplicates)}"; rename one.')
        uploads |= files
    return uploads


def _unzip(path: Path, folder: Path) -> Uploads:
    uploads, first = Uploads(), len(list(folder.iterdir()))
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if _is_supported(PurePosixPath(m.filename))]
            if len(members) > MAX_EDITS:
                raise ZooError(f'"{path.name}" holds {len(members):,} files; this page takes {MAX_EDITS} at a time.')
            for number, member in enumerate(members, first):
                with archive.open(member) as file:
                    content = file.read(MAX_BYTES + 1)
                if len(content) > MAX_BYTES:
                    raise ZooError(f'"{member.filename}" has more than {MAX_BYTES // 10**6} MB.')
                uploads[member.filename] = folder / f"{number}{PurePosixPath(member.filename).suffix.lower()}"
                uploads[member.filename].write_bytes(content)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise ZooError(f'"{path.name}" cannot be unpacked ({str(error)[:80]}).') from error
    return uploads


def _is_supported(name: PurePosixPath) -> bool:
    return name.suffix.lower() in (*images.SUFFIXES, *ROW_SUFFIXES) and not name.name.startswith("._")  # of macOS


def count_edits(uploads: Uploads) -> int:
    """Number of requested edits. Raises ZooError for none and for more than MAX_EDITS."""
    tables = [path for path in uploads.values() if path.suffix.lower() in ROW_SUFFIXES]
    n_edits = sum(sum(1 for _ in _read_rows(path)) for path in tables) if tables else len(uploads)
    if not n_edits:
        raise ZooError(f"There is no picture and no row; send {', '.join(SUFFIXES)}.")
    if n_edits > MAX_EDITS:
        raise ZooError(f"{n_edits:,} edits; this page does {MAX_EDITS} at a time. zoo predict pix2pix takes more.")
    return n_edits


def read_requests(uploads: Uploads, instruction: str) -> Iterator[EditRequest]:
    """The requested edits, one at a time. instruction: for pictures, and for rows without their own."""
    tables = {name: path for name, path in uploads.items() if path.suffix.lower() in ROW_SUFFIXES}
    for name, path in uploads.items() if not tables else ():
        yield _make_request(name, instruction, path)
    for name, path in tables.items():
        for number, row in _read_rows(path):
            yield _request_of_row(f"{name}, line {number}", row, instruction, uploads)


def _make_request(name: str, instruction: str, path: Path | None, uri: str = "") -> EditRequest:
    try:
        pixels, _ = open_picture(uri or path)
        return EditRequest(name, check_instruction(instruction), pixels)
    except ZooError as error:
        return EditRequest(name, instruction, error=str(error))


def _request_of_row(name: str, row: Mapping[str, Any] | str, instruction: str, uploads: Uploads) -> EditRequest:
    if isinstance(row, str):
        return EditRequest(name, error=row)
    own_instruction, reference = row.get("instruction") or instruction, row.get("image")
    if not isinstance(own_instruction, str) or not isinstance(reference, str) or not reference:
        return EditRequest(name, error='A row has "image" and "instruction", both as text.')
    if reference.startswith(images.DATA_URI_PREFIX):
        return _make_request(name, own_instruction, None, reference)
    matches = [key for key in uploads if key == reference] or [
        key for key in uploads if _file_name(key) == _file_name(reference)
    ]
    if len(matches) != 1:
        problem = "Several pictures are" if matches else "No picture is"
        return EditRequest(
            name, own_instruction, error=f'{problem} called "{reference[:60]}" among the files that were sent.'
        )
    return replace(_make_request(matches[0], own_instruction, uploads[matches[0]]), name=matches[0])


def _file_name(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name


def _read_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """(line, row) of a file of rows; a string in place of a row says what is wrong with the line."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    if path.suffix.lower() == ".csv":
        reader = csv.DictReader(io.StringIO(text))
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            yield reader.line_num, f"Malformed CSV ({error})."
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _parse_line(line)


def _parse_line(line: str) -> Mapping[str, Any] | str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"Malformed JSON ({str(error)[:80]})."
    return value if isinstance(value, dict) else "A line of JSON is no object."


def edit_all(
    predictor: EditingPredictor, requests: Iterable[EditRequest], total: int, settings: EditSettings, folder: Path
) -> Iterator[BatchResult]:
    """Make all edits and write edits.zip and edits.jsonl.

    Args:
        predictor: The model.
        requests: The edits.
        total: Their number.
        settings: Guidance, steps and seed of every edit.
        folder: Where the two files are written.

    Yields:
        The result so far, after every block of edits. The files are complete once the iterator ends.
    """
    result = BatchResult(folder / "edits.jsonl", folder / "edits.zip", total)
    predictor = settings.apply_to(predictor)
    with result.lines.open("w", encoding="utf-8") as lines, zipfile.ZipFile(result.archive, "w") as archive:
        for block in blocks(requests, BATCH_SIZE):
            for request, edited in zip(block, _edit_block(predictor, block), strict=True):
                number = result.n_done + 1
                line: dict[str, Any] = {"number": number, "name": request.name, "instruction": request.instruction}
                if isinstance(edited, str) or request.pixels is None:
                    result.faults.add(request.name, str(edited))
                    line["error"] = edited
                else:
                    edit = EditResult(request.pixels, edited, request.instruction, settings)
                    line |= {"edited": _output_name(number, request.name), **asdict(settings)}
                    archive.writestr(line["edited"], png_bytes(edit))
                    result.n_edited += 1
                    result.previews += [edit] if len(result.previews) < MAX_PREVIEWS else []
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            yield result
        lines.flush()
        archive.write(result.lines, result.lines.name)


def _edit_block(predictor: EditingPredictor, block: Sequence[EditRequest]) -> list[Pixels | str]:
    """The edited picture of each request, or why there is none."""
    rows = [make_row(request.pixels, request.instruction) for request in block if request.pixels is not None]
    answers = iter(answer_or_reason(rows, partial(edit_rows, predictor)))
    results = [request.error if request.pixels is None else next(answers) for request in block]
    return [_reason(result) if isinstance(result, Invalid | ZooError) else result for result in results]


def _reason(failure: Invalid | ZooError) -> str:
    return failure.reason if isinstance(failure, Invalid) else str(failure)


def _output_name(number: int, name: str) -> str:
    """Name of the edited picture's file, such as 0001-a.png."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePosixPath(_file_name(name)).stem)[:40].strip(".-")
    return f"{number:04}-{stem or 'picture'}.png"
