"""What every reader yields, and what they share: one instruction with the pairs of pictures that show it.

A picture is looked at, not decoded: its size out of the header, its end, and a digest of its bytes. One that looks odd
is decoded whole, to be sure.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from PIL import Image, UnidentifiedImageError

from instructzoo.core.data.readers import cut
from instructzoo.core.errors import ZooError
from instructzoo.pix2pix import images

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
"""Names of files that are pictures, in lower case."""

ENDS = 16_384
"""Bytes at the beginning and at the end of a file that its digest is of, beside its length."""

DAMAGED = "pairs left out: a picture is missing or damaged"
UNEQUAL = "pairs left out: the two pictures are not of one size"
UNPAIRED = "pictures left out: there is none of that name in the other folder"

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
_FAULTS = (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError)


@dataclass(frozen=True, slots=True)
class Edit:
    """An instruction, its captions, and references of its pairs (before, after), the one to be scored on first.

    where: file and line; item: what its author says may not stand on two sides; id: of its author; "": none.
    """

    where: str
    instruction: str
    pairs: tuple[tuple[str, str], ...]
    input: str = ""
    output: str = ""
    kind: str = ""
    id: str = ""
    item: str = ""
    source: str = ""
    licence: str = ""


@dataclass
class Tally:
    """What is counted of one part of a source. skip: count damaged pictures instead of stopping at the first."""

    skip: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def drop(self, error: ZooError, remark: str) -> None:
        """Count what is left out, or raise the error where nothing may be."""
        if not self.skip:
            raise error
        self.counts[remark] += 1


@dataclass(frozen=True, slots=True)
class Picture:
    """What a look at a picture tells. digest: of the file's bytes, equal for equal files."""

    height: int
    width: int
    digest: str


def look(reference: str, where: str) -> Picture:
    """Size and digest of a picture. Raises ZooError naming `where` for one that is missing, damaged or far too large.

    PNG and JPEG files that end as they should are not decoded.
    """
    name = "" if reference.startswith("data:") else f", picture {Path(reference).name}"
    size, digest = None, ""
    try:
        with _opened(reference) as stream:
            length = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, length - ENDS))
            tail = stream.read()
            stream.seek(0)
            head = stream.read(ENDS)
            digest = hashlib.blake2b(b"%d " % length + head + tail, digest_size=16).hexdigest()
            size = _header(stream, tail)
    except _FAULTS:
        size = None
    if size is None:  # whatever it is, the reader of pictures has the words for it
        pixels = images.read(reference, where + name)
        size = pixels.shape[0], pixels.shape[1]
        digest = hashlib.blake2b(pixels.tobytes(), digest_size=16).hexdigest()  # no check sum at its end tells it apart
    return Picture(*size, digest)


def same_size(before: Picture, after: Picture, pair: tuple[str, str], where: str) -> None:
    """Raises ZooError for a pair of two sizes. To be sure, both are decoded first."""
    if (before.height, before.width) == (after.height, after.width):
        return
    shapes = [images.read(reference, where).shape for reference in pair]
    if shapes[0] != shapes[1]:
        (tall, wide, _), (other_tall, other_wide, _) = shapes
        found = f"a picture of {wide} x {tall} pixels, the edited one of {other_wide} x {other_tall}"
        raise ZooError(found, "two of one size", "resize one of them", where)


def _opened(reference: str) -> IO[bytes]:
    if not reference.startswith("data:"):
        return Path(reference).open("rb")
    try:
        return io.BytesIO(base64.b64decode(reference.partition(",")[2], validate=True))
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _header(stream: IO[bytes], tail: bytes) -> tuple[int, int] | None:
    """Height and width as a viewer shows them; None for what only decoding can tell."""
    stream.seek(0)
    with Image.open(stream, formats=("PNG", "JPEG")) as image:
        ends = tail[-8:-4] == b"IEND" if image.format == "PNG" else tail[-2:] == b"\xff\xd9"
        if not ends or image.width * image.height > images.MAX_PIXELS:
            return None
        exif = Image.Exif()
        exif.load(image.info.get("exif", b""))
        turned = exif.get(_ORIENTATION) in _TURNED
        return (image.width, image.height) if turned else (image.height, image.width)


def to_reference(content: bytes, where: str) -> str:
    """A data URI of the bytes of an image file, as they are. Raises ZooError for what is no image."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind = (image.format or "").lower()
    except _FAULTS as error:
        raise ZooError(f"cannot read the picture: {cut(str(error))}", images.KINDS, "replace it", where) from error
    if kind not in ("png", "jpeg", "webp", "bmp", "gif"):
        raise ZooError(f"a picture in the format {kind.upper()}", images.KINDS, "convert it", where)
    return f"{images.PREFIX}{kind};base64,{base64.b64encode(content).decode()}"


def resolved(reference: str, folder: Path) -> str:
    """A reference as rows hold it: a data URI as it is, else an absolute path. folder: what a relative one is below."""
    if reference.startswith("data:"):
        return reference
    return os.path.abspath(folder / Path(reference).expanduser())  # noqa: PTH100 - takes ".." out, keeps links


def text(values: Mapping[str, Any], name: str, where: str, needed: bool = False) -> str:
    """A text of an object, stripped; "" for null or nothing. Raises ZooError for another type, and for "" if needed."""
    value = values.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise ZooError(f'"{name}" is {cut(json.dumps(value, default=str))}', "text", "quote the value", where)
    if needed and not value.strip():
        found = f'"{name}" is empty' if name in values else f'no "{name}" among: {cut(", ".join(map(str, values)))}'
        raise ZooError(found, "a text that is not empty", "mend or remove it", where)
    return value.strip()


def visible(folder: Path) -> list[Path]:
    """All files of a folder and its folders by name, hidden ones aside."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def pictures(folder: Path) -> list[Path]:
    """The picture files among them, by their suffixes."""
    return [path for path in visible(folder) if path.suffix.lower() in SUFFIXES]
