"""What all readers yield and share: an instruction with the pairs of pictures that show it.

Every picture is decoded completely when it is inspected, as training will decode it, so that a file that is damaged in
its middle is noticed now.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from PIL import Image

from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError
from instructzoo.pix2pix import images

DIGEST_BYTES = 16_384
"""Bytes at the beginning and at the end of a file that its digest covers, besides its length."""

DAMAGED = "pairs left out: a picture is missing or damaged"
UNEQUAL = "pairs left out: the two pictures are not of one size"
BAD_EXIF = "pictures whose EXIF data is damaged, read as they lie, without the rotation that it may have asked for"
UNPAIRED = "pictures left out: there is none of that name in the other folder"

_ORIENTATION = 0x0112
_ROTATED = (5, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class EditExample:
    """An instruction with its captions and its pairs of pictures.

    Attributes:
        where: File and line, for error messages.
        instruction: The edit in words.
        pairs: References of the pictures (before, after); held-out rows are scored on the first pair.
        input: Caption of the picture before.
        output: Caption of the picture after.
        kind: Kind of edit, the group that it is reported in.
        id: Given by the author.
        item: What must not be spread over two splits, if the author says so.
        source: Where the example comes from.
        licence: Its licence.
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
    """Counts of what was left out of one split of a source. skip_errors: count damaged pairs instead of raising."""

    skip_errors: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def skip_or_raise(self, error: ZooError, remark: str) -> None:
        """Count what is left out under `remark`, or raise the error if errors are not skipped.

        Args:
            error: What is wrong with a pair or a picture.
            remark: The line of the data card that it is counted in.

        Raises:
            ZooError: The error, unless errors are skipped.
        """
        if not self.skip_errors:
            raise error
        self.counts[remark] += 1


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What is known of a picture.

    Attributes:
        height: In pixels, as a viewer shows it.
        width: Likewise.
        digest: Of the file's bytes, equal for equal files.
        remark: The line of the data card that it is counted in, such as BAD_EXIF; "" if nothing is to be said.
    """

    height: int
    width: int
    digest: str
    remark: str = ""


def inspect_picture(reference: str, where: str, decode: bool = True) -> PictureInfo:
    """Size and digest of a picture.

    Args:
        reference: A file path or a data URI.
        where: File and line, or row, that the error message names.
        decode: Whether to decode it completely, which alone shows damage in its middle; else PNG and JPEG files that
            end as they should are not decoded.

    Raises:
        ZooError: The picture is missing, damaged or too large.
    """
    name = "" if reference.startswith("data:") else f", picture {Path(reference).name}"
    size, digest = None, ""
    with images.pillow_remarks() as remarks:
        try:
            with _open(reference) as stream:
                length = stream.seek(0, os.SEEK_END)
                stream.seek(max(0, length - DIGEST_BYTES))
                tail = stream.read()
                stream.seek(0)
                head = stream.read(DIGEST_BYTES)
                digest = hashlib.blake2b(b"%d " % length + head + tail, digest_size=16).hexdigest()
                size = _size_from_header(stream, tail)
        except images.READ_ERRORS:
            size = None
    remark = BAD_EXIF if any("EXIF" in text for text in remarks) else ""
    if decode or size is None:  # images.read raises the error that describes the problem
        pixels = images.read(reference, where + name)
        if size is None:
            digest = hashlib.blake2b(pixels.tobytes(), digest_size=16).hexdigest()  # no checksum is at the end of these
        size = pixels.shape[0], pixels.shape[1]
    return PictureInfo(*size, digest, remark)


def check_same_size(before: PictureInfo, after: PictureInfo, pair: tuple[str, str], where: str) -> None:
    """Check that the two pictures of a pair have one size; both are decoded first where the headers differ, to be sure.

    Args:
        before: What inspection found of the picture before.
        after: What it found of the picture after.
        pair: The references of both pictures.
        where: File and line, or row, for the error message.

    Raises:
        ZooError: The sizes differ, or a picture cannot be decoded.
    """
    if (before.height, before.width) == (after.height, after.width):
        return
    shapes = [images.read(reference, where).shape for reference in pair]
    if shapes[0] != shapes[1]:
        (height, width, _), (after_height, after_width, _) = shapes
        sizes = f"a picture of {width} x {height} pixels, the edited one of {after_width} x {after_height}"
        raise ZooError(sizes, "two of one size", "resize one of them", where)


def _open(reference: str) -> IO[bytes]:
    if not reference.startswith("data:"):
        return Path(reference).open("rb")
    try:
        return io.BytesIO(base64.b64decode(reference.partition(",")[2], validate=True))
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _size_from_header(stream: IO[bytes], tail: bytes) -> tuple[int, int] | None:
    """Height and width as a viewer shows them; None where the picture must be decoded to know."""
    stream.seek(0)
    with Image.open(stream, formats=("PNG", "JPEG")) as image:
        complete = tail[-8:-4] == b"IEND" if image.format == "PNG" else tail[-2:] == b"\xff\xd9"
        if not complete or image.width * image.height > images.MAX_PIXELS:
            return None
        exif = Image.Exif()
        exif.load(image.info.get("exif", b""))
        rotated = exif.get(_ORIENTATION) in _ROTATED
        return (image.width, image.height) if rotated else (image.height, image.width)


def to_reference(content: bytes, where: str) -> str:
    """A data URI of the unchanged bytes of an image file.

    Args:
        content: The bytes of the file.
        where: File and line, or row, for the error message.

    Returns:
        The data URI, in base64.

    Raises:
        ZooError: The bytes are no picture, or one in a format that is not supported.
    """
    try:
        with images.pillow_remarks(), Image.open(io.BytesIO(content)) as image:
            kind = (image.format or "").lower()
    except images.READ_ERRORS as error:
        raise ZooError(
            f"cannot read the picture: {shorten(str(error))}", images.EXPECTED_FORMATS, "replace it", where
        ) from error
    if kind.upper() not in images.FORMATS:
        raise ZooError(f"a picture in the format {kind.upper()}", images.EXPECTED_FORMATS, "convert it", where)
    return f"{images.DATA_URI_PREFIX}{kind};base64,{base64.b64encode(content).decode()}"


def resolve(reference: str, folder: Path) -> str:
    """A reference as rows hold it: data URIs unchanged, paths made absolute.

    Args:
        reference: A file path or a data URI.
        folder: The base of relative paths.

    Returns:
        The reference. Links in a path are kept.
    """
    if reference.startswith("data:"):
        return reference
    if reference.startswith("~"):
        with contextlib.suppress(RuntimeError):  # no home of such a user: the file is then missing
            reference = str(Path(reference).expanduser())
    return os.path.abspath(folder / reference)  # noqa: PTH100 - takes ".." out, keeps links


def read_text(values: Mapping[str, Any], name: str, where: str, required: bool = False) -> str:
    """The stripped text under `name`; "" for null or a missing key.

    Args:
        values: An object of the file.
        name: The key.
        where: File and line, for the error.
        required: Whether "" is an error.

    Raises:
        ZooError: The value is not a text, or empty though required.
    """
    value = values.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise ZooError(f'"{name}" is {shorten(json.dumps(value, default=str))}', "text", "quote the value", where)
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ZooError(f'"{name}" has half a character (\\ud800 to \\udfff)', "text", "write it again in UTF-8", where)
    if required and not value.strip():
        problem = (
            f'"{name}" is empty' if name in values else f'no "{name}" among: {shorten(", ".join(map(str, values)))}'
        )
        raise ZooError(problem, "a text that is not empty", "correct or remove it", where)
    return value.strip()


def visible_files(folder: Path) -> list[Path]:
    """All files below a folder by name, without hidden ones."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in paths if not any(name.startswith(".") for name in path.relative_to(folder).parts)]


def picture_files(folder: Path) -> list[Path]:
    """The picture files among `visible_files`, by their suffixes."""
    return [path for path in visible_files(folder) if path.suffix.lower() in images.SUFFIXES]
