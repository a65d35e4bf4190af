"""HTML and pictures of edits: small ones enlarged without blur, what changed, a labelled grid; and the file to save.

Pictures are embedded in the HTML, so a page makes no further requests.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from instructzoo.core.ui.highlighting import escape_text
from instructzoo.pix2pix import images
from instructzoo.pix2pix.edit_request import EditResult, match_size
from instructzoo.pix2pix.images import Pixels

SMALL_SIDE = 128
"""A picture whose longer side has at most this many pixels is enlarged by an integer factor, every pixel a square."""
ENLARGED_SIDE = 512
"""Pixels of the longer side after enlarging, at most."""
THUMBNAIL_SIDE = 256
"""Pixels of the longer side of a picture in a grid."""
VISIBLE_DIFFERENCE = 16
"""Difference of 256 levels in one channel from which a pixel counts as changed; less is noise of the decoder."""
CHANGED_COLOUR = np.array((200, 16, 80), np.float32)

STYLE = """<style>
.pix2pix-crisp img, img.crisp {image-rendering: pixelated}
#pix2pix-edit-page {display: grid !important; gap: .5rem 1rem !important; align-items: start;
  grid-template-columns: repeat(6, minmax(0, 1fr));
  grid-template-areas: "i i i i g g" "b b a a d d" "n n n n n n" "w w w w w w" "e e e e e e"}
#pix2pix-edit-page > .column {min-width: 0 !important; gap: .3rem}
.pix2pix-area-instruction {grid-area: i} .pix2pix-area-buttons {grid-area: g} .pix2pix-area-before {grid-area: b}
.pix2pix-area-after {grid-area: a} .pix2pix-area-difference {grid-area: d} .pix2pix-area-info {grid-area: n}
.pix2pix-area-below {grid-area: w} .pix2pix-area-examples {grid-area: e}
#pix2pix-picture {height: auto !important}
#pix2pix-instruction textarea {border: 1px solid var(--border-color-primary) !important; border-radius: 8px;
  padding: .4rem .6rem !important}
#pix2pix-draw {align-self: start; width: auto}
#pix2pix-picture :is(.image-frame, .upload-container) {aspect-ratio: 1; width: 100% !important;
  height: auto !important; max-height: none !important}
#pix2pix-picture .image-frame img {width: 100% !important; height: 100% !important; object-fit: contain !important}
.pix2pix-part {font-size: .85rem; font-weight: 600; color: var(--body-text-color-subdued); margin: 0 0 .2rem !important}
#pix2pix-difference .pix2pix-part {margin-bottom: .35rem !important}
.pix2pix-square img, .pix2pix-square .pix2pix-wait {aspect-ratio: 1; width: 100%; object-fit: contain}
.pix2pix-actions {gap: .4rem !important; margin-top: .2rem}
.pix2pix-strip {display: grid; gap: .6rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(8.5rem, 22%), 1fr))}
.pix2pix-strip button {display: block; padding: 0; border: 0; background: none; cursor: pointer; text-align: start;
  font: .8rem/1.25 var(--font); color: var(--body-text-color); border-radius: 6px}
.pix2pix-strip img {display: block; width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 6px;
  border: 1px solid var(--border-color-primary); margin-bottom: .2rem}
.pix2pix-strip button:hover img {border-color: var(--color-accent)}
#pix2pix-settings .head input[type=number] {width: 3.4rem; padding-inline: .3rem}
.pix2pix-figure {margin: 0; color: var(--body-text-color)}
.pix2pix-figure img {width: 100%; display: block; border-radius: 6px; border: 1px solid var(--border-color-primary)}
.pix2pix-figure figcaption {font-size: .82rem; color: var(--body-text-color-subdued); padding: .25rem 0 0;
  overflow-wrap: anywhere}
.pix2pix-under {font-size: .78rem; line-height: 1.3; color: var(--body-text-color-subdued); margin: 0 !important}
.pix2pix-edit-info {color: var(--body-text-color)}
.pix2pix-area-info .zoo-card {padding: .6rem .9rem}
.pix2pix-edit-info .instruction {font-size: 1rem; font-weight: 600; overflow-wrap: anywhere}
.pix2pix-edit-info p {margin: .1rem 0}
.pix2pix-grid {display: grid; gap: .6rem; margin: .6rem 0 0; color: var(--body-text-color)}
.pix2pix-grid .axis {font-size: .85rem; color: var(--body-text-color-subdued)}
.pix2pix-grid .axis b {color: var(--body-text-color); font-size: 1rem}
.pix2pix-grid .top {text-align: center; align-self: end}
.pix2pix-grid .side {align-self: center}
.pix2pix-wait {aspect-ratio: 1; border-radius: 6px; border: 1px dashed var(--border-color-primary)}
.pix2pix-pairs {display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .9rem;
  margin: .8rem 0 0}
.pix2pix-pairs .pair {display: grid; grid-template-columns: 1fr 1fr; gap: .3rem}
.pix2pix-pairs .pair img {width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 6px}
.pix2pix-under-way progress {width: 100%; accent-color: var(--primary-700)}
@media (max-width: 600px) {
  #pix2pix-edit-page {grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .5rem !important;
    grid-template-areas: "i i" "g g" "b a" "d n" "w w" "e e"}
  #pix2pix-edit-page > .pix2pix-area-buttons {flex-flow: row nowrap !important; gap: .5rem}
  .pix2pix-area-info .zoo-card {margin-top: 1.5rem}
}
@media (max-width: 600px) {.pix2pix-grid {gap: .3rem} .pix2pix-grid .axis, .pix2pix-figure figcaption
  {font-size: .68rem}}
</style>"""


def is_small(pixels: Pixels) -> bool:
    """Whether a picture has to be enlarged to be seen well."""
    return max(pixels.shape[:2]) <= SMALL_SIDE


def enlarge(pixels: Pixels) -> Pixels:
    """A small picture with every pixel as a square, at most ENLARGED_SIDE pixels a side; another one unchanged."""
    factor = ENLARGED_SIDE // max(pixels.shape[:2]) if is_small(pixels) else 1
    return pixels.repeat(factor, 0).repeat(factor, 1)


def pixel_difference(edited: EditResult) -> npt.NDArray[np.int16]:
    """[h, w]: the largest difference of a pixel over its three channels, 0 to 255."""
    before = match_size(edited.before, edited.after).astype(np.int16)
    largest: npt.NDArray[np.int16] = np.abs(before - edited.after.astype(np.int16)).max(axis=2)
    return largest


def changed_fraction(edited: EditResult) -> float:
    """Fraction of the pixels that changed visibly."""
    return float((pixel_difference(edited) >= VISIBLE_DIFFERENCE).mean())


def difference_map(edited: EditResult) -> Pixels:
    """[h, w, 3]: the picture before in pale grey, with what changed in red, stronger for larger differences."""
    grey = match_size(edited.before, edited.after).astype(np.float32).mean(axis=2, keepdims=True)
    background = 255 - (255 - grey) * 0.3
    difference = pixel_difference(edited)[..., None].astype(np.float32)
    weight = np.where(difference < VISIBLE_DIFFERENCE, 0, np.sqrt(difference / 255))
    return (background * (1 - weight) + CHANGED_COLOUR * weight).clip(0, 255).astype(np.uint8)


def image_html(pixels: Pixels, name: str, side: int = THUMBNAIL_SIDE) -> str:
    """HTML of a picture with the file inside, its longer side at most `side` pixels. name: the alternative text."""
    crisp = ' class="crisp"' if is_small(pixels) else ""
    if max(pixels.shape[:2]) > side:
        thumbnail = Image.fromarray(pixels)
        thumbnail.thumbnail((side, side), Image.Resampling.LANCZOS)
        uri = images.to_uri(np.array(thumbnail), "jpeg")
    else:
        uri = images.to_uri(pixels)
    return f'<img{crisp} src="{uri}" alt="{escape(name)}">'


def figure_html(pixels: Pixels, caption: str, kind: str = "", side: int = THUMBNAIL_SIDE) -> str:
    """HTML of a picture with a caption below."""
    text = f"<figcaption>{escape_text(caption)}</figcaption>"
    return f'<figure class="pix2pix-figure {kind}">{image_html(pixels, caption, side)}{text}</figure>'


def describe_change(edited: EditResult) -> str:
    """How much changed, in words."""
    fraction = changed_fraction(edited)
    return (
        f"{fraction:.0%} of the pixels changed"
        if fraction >= 0.005 or not fraction
        else "less than 1% of the pixels changed"
    )


NOTHING_YET = '<div class="pix2pix-square"><div class="pix2pix-wait" aria-label="no edited picture yet"></div></div>'


def after_html(edited: EditResult) -> str:
    """HTML of the picture after the edit."""
    name = f"the picture after: {edited.instruction}"
    return f'<div class="pix2pix-figure pix2pix-square">{image_html(edited.after, name, ENLARGED_SIDE)}</div>'


def difference_html(edited: EditResult) -> str:
    """HTML of what changed and where."""
    caption = f"In red: {describe_change(edited)}"
    figure = figure_html(difference_map(edited), caption, "pix2pix-square", ENLARGED_SIDE)
    return f'<p class="pix2pix-part">What changed</p>{figure}'


def edit_html(edited: EditResult, notes: Sequence[str] = (), seconds: float | None = None) -> str:
    """HTML of an edit's instruction and settings, the time it took, and warnings."""
    warnings = list(notes)
    if not changed_fraction(edited):
        warnings.append("Nothing changed: the model found nothing to do, or more text guidance is needed.")
    lines = [f'<p class="instruction">{escape_text(edited.instruction)}</p>']
    duration = "" if seconds is None else f"; {seconds:.1f} s"
    lines.append(f'<p class="zoo-hint">{escape(edited.settings.describe() + duration)}</p>')
    lines += [f'<p class="zoo-hint">⚠ {escape(note)}</p>' for note in warnings if note]
    return f'<div class="zoo-card pix2pix-edit-info">{"".join(lines)}</div>'


def grid_html(
    before: Pixels, text: str, columns: Sequence[float], rows: Sequence[float], cells: Sequence[EditResult]
) -> str:
    """HTML of a table of pictures: text guidance from left to right, image guidance from top to bottom.

    Args:
        before: The picture before.
        text: The instruction.
        columns: Values of text guidance.
        rows: Values of image guidance.
        cells: Edits, row by row; missing ones are left open.
    """
    corner = figure_html(before, "the picture")
    cells_html = [corner, *(_axis_html("top", "text guidance", value) for value in columns)]
    for row_index, value in enumerate(rows):
        cells_html.append(_axis_html("side", "image guidance", value))
        for index in range(row_index * len(columns), (row_index + 1) * len(columns)):
            is_done = index < len(cells)
            cells_html.append(figure_html(cells[index].after, _short_change(cells[index])) if is_done else _PLACEHOLDER)
    style = f"grid-template-columns: minmax(4.2rem, .6fr) repeat({len(columns)}, minmax(0, 1fr))"
    head = f'<p class="instruction">{escape_text(text)}</p>'
    table = f'<div class="pix2pix-grid" style="{style}">{"".join(cells_html)}</div>'
    return f'<div class="zoo-card pix2pix-edit-info">{head}{table}</div>'


_PLACEHOLDER = '<div class="pix2pix-wait" aria-label="not there yet"></div>'


def _axis_html(kind: str, name: str, value: float) -> str:
    return f'<div class="axis {kind}">{name}<br><b>{value:g}</b></div>'


def _short_change(edited: EditResult) -> str:
    return describe_change(edited).replace(" of the pixels", "")


def save_png(edited: EditResult, path: Path) -> Path:
    """Save the edited picture as PNG at its own size; its metadata says that a model made it, with which settings."""
    path.write_bytes(png_bytes(edited))
    return path


def png_bytes(edited: EditResult) -> bytes:
    """The bytes of that PNG file."""
    import io

    metadata = PngInfo()
    metadata.add_text("Software", "instructzoo pix2pix: this picture was edited by a model")
    metadata.add_itxt("Instruction", edited.instruction)
    metadata.add_text("Settings", json.dumps(asdict(edited.settings)))
    stream = io.BytesIO()
    Image.fromarray(edited.after).save(stream, "png", pnginfo=metadata)
    return stream.getvalue()
