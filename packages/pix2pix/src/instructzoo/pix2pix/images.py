"""Images as rows hold them: a reference in text, either a file path or a data URI that contains the file itself.

    to_uri(pixels)        "data:image/png;base64,iVBOR..."
    read("photo.jpg")     uint8 [h, w, 3]; rotated as its EXIF says, transparency composited onto white

A row's answer is an image in the same form, so answers travel as text as in every domain.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from instructzoo.core.errors import ZooError

Pixels = npt.NDArray[np.uint8]
"""[height, width, 3] in red, green, blue."""

DATA_URI_PREFIX = "data:image/"
MAX_PIXELS = 50_000_000
"""Largest number of pixels of an image; a larger one is refused before it is decoded."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
"""Formats that are read, by Pillow's names."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
"""Suffixes of picture files, in lower case."""

EXPECTED_FORMATS = "a PNG, JPEG, WebP, BMP or GIF image"

READ_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError, RuntimeError,
    MemoryError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow raises for one damaged file or another, and Python for a path that cannot be one."""


def read(reference: str, where: str = "") -> Pixels:
    """Decode an image.

    Args:
        reference: A file path or a data URI.
        where: File and line, or row, that the error message names.

    Returns:
        uint8 [h, w, 3], as `to_rgb` gives it.

    Raises:
        ZooError: The image is missing, damaged, of another format or too large.
    """
    name = _shorten(reference)
    content = _decode_data_uri(reference, where) if reference.startswith("data:") else None
    try:
        content = Path(reference).expanduser().read_bytes() if content is None else content
        with pillow_remarks(), Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                size = f"{name} has {image.width} x {image.height} pixels"
                raise ZooError(size, f"at most {MAX_PIXELS:,} of them", "make it smaller", where)
            if image.format == "PNG":  # decoding passes over a wrong checksum in the middle
                with Image.open(io.BytesIO(content), formats=("PNG",)) as checked:
                    checked.verify()
            return to_rgb(image)
    except FileNotFoundError as error:
        raise ZooError(f"no file {name}", EXPECTED_FORMATS, "look at the path", where) from error
    except READ_ERRORS as error:
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "its content is of another format" if unknown else str(error)[:120] or type(error).__name__
        raise ZooError(f"cannot read {name}: {reason}", EXPECTED_FORMATS, "replace it", where) from error


@contextmanager
def pillow_remarks() -> Iterator[list[str]]:
    """Collect what Pillow warns of inside the block instead of printing it, such as palettes and damaged EXIF data."""
    remarks: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield remarks
        finally:
            remarks += [str(warning.message) for warning in caught]


def to_rgb(image: Image.Image) -> Pixels:
    """Pixels as a viewer shows them, uint8 [h, w, 3].

    EXIF orientation is applied, transparency composited onto white, 16-bit and CMYK images converted to RGB.
    """
    rotated = ImageOps.exif_transpose(image)
    if rotated.mode.startswith("I;16") or rotated.mode == "I":
        rotated = Image.fromarray((np.asarray(rotated, np.float64) / 257).clip(0, 255).astype(np.uint8))
    if "A" in rotated.getbands() or "transparency" in rotated.info:
        rgba = rotated.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        rotated = Image.alpha_composite(white, rgba)
    return np.array(rotated.convert("RGB"), np.uint8)


def to_uri(pixels: Pixels, format: Literal["png", "jpeg"] = "png") -> str:
    """A data URI of an image, uint8 [h, w, 3]. PNG keeps every pixel."""
    return DATA_URI_PREFIX + f"{format};base64," + base64.b64encode(encode(pixels, format)).decode()


def encode(pixels: Pixels, format: Literal["png", "jpeg"] = "png") -> bytes:
    """The bytes of an image file, PNG or JPEG of quality 95."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **({"quality": 95} if format == "jpeg" else {}))
    return stream.getvalue()


def _decode_data_uri(uri: str, where: str) -> bytes:
    """The bytes in a data URI of an image."""
    header, separator, payload = uri.partition(",")
    if not header.startswith(DATA_URI_PREFIX) or not header.endswith(";base64") or not separator:
        raise ZooError(f"a data URI that begins {_shorten(uri)}", f"{DATA_URI_PREFIX}png;base64,...", where=where)
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ZooError(f"{_shorten(uri)} is no base64", "an image's bytes", "encode it again", where) from error


def _shorten(reference: str) -> str:
    """A reference that fits into an error message."""
    return f"{reference[:40]}..." if reference.startswith("data:") else reference
