"""Images as rows hold them: a reference in text, either the path of a file or a data URI that holds the file itself.

    to_uri(pixels)        "data:image/png;base64,iVBOR..."
    read("photo.jpg")     uint8 [h, w, 3]; turned as its EXIF says, transparency laid on white

A row's answer is an image in the same form, so that answers travel as text like those of every domain.
"""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from instructzoo.core.errors import ZooError

Pixels = npt.NDArray[np.uint8]
"""[height, width, 3], red, green, blue."""

PREFIX = "data:image/"
MAX_PIXELS = 50_000_000
"""Of one image; a larger one is refused before it is decoded."""

KINDS = "a PNG, JPEG, WebP, BMP or GIF image"


def read(reference: str, where: str = "") -> Pixels:
    """The image of a reference. Raises ZooError naming `where` for one that is missing, damaged or far too large."""
    source = io.BytesIO(_content(reference, where)) if reference.startswith("data:") else Path(reference).expanduser()
    name = _short(reference)
    try:
        with Image.open(source, formats=("PNG", "JPEG", "WEBP", "BMP", "GIF")) as image:
            if image.width * image.height > MAX_PIXELS:
                found = f"{name} has {image.width} x {image.height} pixels"
                raise ZooError(found, f"at most {MAX_PIXELS:,} of them", "make it smaller", where)
            return upright(image)
    except FileNotFoundError as error:
        raise ZooError(f"no file {name}", KINDS, "look at the path", where) from error
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ZooError(f"cannot read {name}: {str(error)[:120]}", KINDS, "replace it", where) from error


def upright(image: Image.Image) -> Pixels:
    """Pixels as a viewer shows them: EXIF orientation obeyed, transparency laid on white, 16 bits and CMYK made RGB."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I;16") or turned.mode == "I":
        turned = Image.fromarray((np.asarray(turned, np.float64) / 257).clip(0, 255).astype(np.uint8))
    if "A" in turned.getbands() or "transparency" in turned.info:
        layer = turned.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        turned = Image.alpha_composite(ground, layer)
    return np.array(turned.convert("RGB"), np.uint8)


def to_uri(pixels: Pixels, format: Literal["png", "jpeg"] = "png") -> str:
    """A data URI of an image. PNG keeps every pixel."""
    return PREFIX + f"{format};base64," + base64.b64encode(encode(pixels, format)).decode()


def encode(pixels: Pixels, format: Literal["png", "jpeg"] = "png") -> bytes:
    """The bytes of an image file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **({"quality": 95} if format == "jpeg" else {}))
    return stream.getvalue()


def _content(uri: str, where: str) -> bytes:
    head, comma, body = uri.partition(",")
    if not head.startswith(PREFIX) or not head.endswith(";base64") or not comma:
        raise ZooError(f"a data URI that begins {_short(uri)}", f"{PREFIX}png;base64,...", where=where)
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ZooError(f"{_short(uri)} is no base64", "an image's bytes", "encode it again", where) from error


def _short(reference: str) -> str:
    return f"{reference[:40]}..." if reference.startswith("data:") else reference
