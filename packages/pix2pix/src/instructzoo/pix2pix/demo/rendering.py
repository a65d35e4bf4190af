"""Edited pictures for the eye: small ones enlarged without blur, what changed, a labelled grid; and the file to keep.

Figures are HTML with the pictures inside, so that a page asks for nothing.
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

from instructzoo.core.ui.highlighting import shown
from instructzoo.pix2pix import images
from instructzoo.pix2pix.demo.edit_request import Edited, alongside
from instructzoo.pix2pix.images import Pixels

SMALL = 128
"""Pixels: a picture with no longer side is enlarged by a whole number, every pixel a square."""
SHOWN = 512
"""Pixels of the longer side that enlarging goes up to."""
THUMBNAIL = 256
"""Pixels of the longer side of a picture in a grid."""
VISIBLE = 16
"""Levels of 256 in one channel from which a pixel counts as changed: less is the noise of a decoder."""
CHANGED = np.array((200, 16, 80), np.float32)

STYLE = """<style>
.pix2pix-crisp img, img.crisp {image-rendering: pixelated}
.pix2pix-crisp .image-frame img {width: 100% !important; height: 100% !important; object-fit: contain !important}
.pix2pix-strip .grid-wrap {min-height: 0 !important; max-height: none !important; overflow: visible !important;
  padding-top: 2.1rem !important}
.pix2pix-strip .grid-container {grid-template-rows: none !important; grid-auto-rows: auto !important;
  grid-template-columns: repeat(var(--grid-cols), minmax(0, 1fr)) !important}
.pix2pix-strip .thumbnail-item {aspect-ratio: auto !important; height: auto !important; border: 0 !important;
  background: none !important; box-shadow: none !important}
.pix2pix-strip .thumbnail-item img {aspect-ratio: 1; height: auto !important; object-fit: contain !important;
  border: 1px solid var(--border-color-primary); border-radius: 6px !important}
.pix2pix-strip .caption-label {position: static !important; max-width: none !important; white-space: normal !important;
  border: 0 !important; background: none !important; padding: .25rem .1rem 0 !important; font-size: .8rem !important;
  line-height: 1.25; color: var(--body-text-color) !important}
.pix2pix-strip .grid-container.pt-6 {padding-top: 0 !important}
#pix2pix-settings .head input[type=number] {width: 3.4rem; padding-inline: .3rem}
.pix2pix-figure {margin: 0; color: var(--body-text-color)}
.pix2pix-figure img {width: 100%; display: block; border-radius: 6px; border: 1px solid var(--border-color-primary)}
.pix2pix-figure figcaption {font-size: .82rem; color: var(--body-text-color-subdued); padding: .25rem 0 0;
  overflow-wrap: anywhere}
.pix2pix-under {font-size: .82rem; color: var(--body-text-color-subdued); margin: 0}
.pix2pix-difference {border: 1px solid var(--border-color-primary); border-radius: 12px; padding: .7rem;
  background: var(--block-background-fill)}
.pix2pix-difference img {max-height: 420px; object-fit: contain}
.pix2pix-told {color: var(--body-text-color)}
.pix2pix-told .said {font-size: 1.05rem; font-weight: 600; overflow-wrap: anywhere}
.pix2pix-told p {margin: .1rem 0}
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
@media (max-width: 600px) {.pix2pix-grid {gap: .3rem} .pix2pix-grid .axis, .pix2pix-figure figcaption
  {font-size: .68rem}}
</style>"""


def small(pixels: Pixels) -> bool:
    """Whether a person needs it enlarged."""
    return max(pixels.shape[:2]) <= SMALL


def enlarged(pixels: Pixels) -> Pixels:
    """A small picture with every pixel as a square, at most SHOWN pixels a side; another as it is."""
    factor = SHOWN // max(pixels.shape[:2]) if small(pixels) else 1
    return pixels.repeat(factor, 0).repeat(factor, 1)


def pair(edited: Edited) -> tuple[Pixels, Pixels]:
    """Before and after at one size, enlarged where they are small: what a before/after slider shows."""
    return enlarged(alongside(edited.before, edited.after)), enlarged(edited.after)


def distance(edited: Edited) -> npt.NDArray[np.int16]:
    """[h, w]: the largest difference of a pixel over its three channels, 0 to 255."""
    before = alongside(edited.before, edited.after).astype(np.int16)
    largest: npt.NDArray[np.int16] = np.abs(before - edited.after.astype(np.int16)).max(axis=2)
    return largest


def changed(edited: Edited) -> float:
    """Share of the pixels that changed visibly."""
    return float((distance(edited) >= VISIBLE).mean())


def difference(edited: Edited) -> Pixels:
    """[h, w, 3]: the picture before, pale and grey, with what changed in red; the stronger, the more."""
    grey = alongside(edited.before, edited.after).astype(np.float32).mean(axis=2, keepdims=True)
    ground = 255 - (255 - grey) * 0.3
    far = distance(edited)[..., None].astype(np.float32)
    weight = np.where(far < VISIBLE, 0, np.sqrt(far / 255))
    return (ground * (1 - weight) + CHANGED * weight).clip(0, 255).astype(np.uint8)


def image(pixels: Pixels, name: str, side: int = THUMBNAIL) -> str:
    """HTML of a picture with the file inside, its longer side at most `side` pixels. name: for who cannot see it."""
    crisp = ' class="crisp"' if small(pixels) else ""
    if max(pixels.shape[:2]) > side:
        thumbnail = Image.fromarray(pixels)
        thumbnail.thumbnail((side, side), Image.Resampling.LANCZOS)
        uri = images.to_uri(np.array(thumbnail), "jpeg")
    else:
        uri = images.to_uri(pixels)
    return f'<img{crisp} src="{uri}" alt="{escape(name)}">'


def mean_with_ci(pixels: Pixels, caption: str, kind: str = "", side: int = THUMBNAIL) -> str:
    """HTML of a picture with a plain text below."""
    text = f"<figcaption>{shown(caption)}</figcaption>"
    return f'<figure class="pix2pix-figure {kind}">{image(pixels, caption, side)}{text}</figure>'


def share(edited: Edited) -> str:
    """How much changed, in words."""
    part = changed(edited)
    return f"{part:.0%} of the pixels changed" if part >= 0.005 or not part else "less than 1% of the pixels changed"


def map_of(edited: Edited) -> str:
    """HTML of what changed and where."""
    return mean_with_ci(difference(edited), f"What changed, in red: {share(edited)}", "pix2pix-difference", SHOWN)


def told(edited: Edited, notes: Sequence[str] = (), seconds: float | None = None) -> str:
    """HTML of what was asked with which settings, how long it took, and what is odd about the answer."""
    odd = list(notes)
    if not changed(edited):
        odd.append("Nothing changed: the model found nothing to do, or more text guidance is needed.")
    lines = [f'<p class="said">{shown(edited.instruction)}</p>']
    took = "" if seconds is None else f"; {seconds:.1f} s"
    lines.append(f'<p class="zoo-hint">{escape(edited.chosen.told() + took)}</p>')
    lines += [f'<p class="zoo-hint">⚠ {escape(note)}</p>' for note in odd if note]
    return f'<div class="zoo-card pix2pix-told">{"".join(lines)}</div>'


def grid(before: Pixels, text: str, columns: Sequence[float], rows: Sequence[float], cells: Sequence[Edited]) -> str:
    """HTML of a table of pictures: text guidance from left to right, image guidance from top to bottom.

    text: the instruction; cells: by rows, those that are not there yet are left open.
    """
    corner = mean_with_ci(before, "the picture")
    parts = [corner, *(_axis("top", "text guidance", value) for value in columns)]
    for line, value in enumerate(rows):
        parts.append(_axis("side", "image guidance", value))
        for place in range(line * len(columns), (line + 1) * len(columns)):
            ready = place < len(cells)
            parts.append(mean_with_ci(cells[place].after, _percent(cells[place])) if ready else _WAIT)
    style = f"grid-template-columns: minmax(4.2rem, .6fr) repeat({len(columns)}, minmax(0, 1fr))"
    head = f'<p class="said">{shown(text)}</p>'
    table = f'<div class="pix2pix-grid" style="{style}">{"".join(parts)}</div>'
    return f'<div class="zoo-card pix2pix-told">{head}{table}</div>'


_WAIT = '<div class="pix2pix-wait" aria-label="not there yet"></div>'


def _axis(kind: str, name: str, value: float) -> str:
    return f'<div class="axis {kind}">{name}<br><b>{value:g}</b></div>'


def _percent(edited: Edited) -> str:
    return share(edited).replace(" of the pixels", "")


def save(edited: Edited, path: Path) -> Path:
    """The edited picture as PNG, at its own size. The file says that a model made it, from which words and settings."""
    path.write_bytes(png(edited))
    return path


def png(edited: Edited) -> bytes:
    """The bytes of that file."""
    import io

    said = PngInfo()
    said.add_text("Software", "instructzoo pix2pix: this picture was edited by a model")
    said.add_itxt("Instruction", edited.instruction)
    said.add_text("Settings", json.dumps(asdict(edited.chosen)))
    stream = io.BytesIO()
    Image.fromarray(edited.after).save(stream, "png", pnginfo=said)
    return stream.getvalue()
