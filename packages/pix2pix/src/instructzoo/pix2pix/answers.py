"""Edited pictures: a picture and an instruction in, the edited picture out.

    model = load("pix2pix")
    (edit,) = model([("scene.png", "make the red circle blue")])
    edit.edited              the edited picture, a PIL.Image of the size of `edit.picture`
    edit.note                what was done to the picture before, such as making it smaller
    edit.to_dict()           a JSON object, the edited picture as a data URI of a PNG
    edit.to_row()            a line of a table, likewise

The picture is a path, a data URI or a PIL.Image. Each picture of a call gets noise of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from instructzoo.core.answers.questions import Cell, Options, Question
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid
from instructzoo.pix2pix import images, prompts
from instructzoo.pix2pix.data.readers.base import resolve
from instructzoo.pix2pix.edit_request import check_instruction, fit_picture, make_row, open_picture

__all__ = ["Answer", "Options", "answer", "failed", "rows"]

Input = tuple[str | Path | Image.Image, str] | Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Answer:
    """One edit.

    Attributes:
        instruction: What was to be done.
        picture: The picture before, as the model got it; None where there is none.
        edited: The picture after; None where there is none.
        note: What was done to the picture before the model got it, or "".
        error: Why there is no edited picture, or "".
    """

    instruction: str
    picture: Image.Image | None = None
    edited: Image.Image | None = None
    note: str = ""
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The edit as a JSON object."""
        return {"instruction": self.instruction, **self.to_row(), **({"error": self.error} if self.error else {})}

    def to_row(self) -> dict[str, Cell]:
        """The edit as a line of a table: the edited picture as a data URI, its size, and the note."""
        width, height = self.edited.size if self.edited else (None, None)
        uri = images.to_uri(images.to_rgb(self.edited)) if self.edited else ""
        return {"edited": uri, "width": width, "height": height, "note": self.note}

    def to_rows(self) -> list[dict[str, Cell]]:
        """A table of one line."""
        return [self.to_row()]


def rows(input: Input, options: Options, where: str = "") -> list[Question]:
    """The one question of an input. Relative paths in a file are those beside it.

    Raises:
        ZooError: The picture cannot be read or is too small or narrow, or there is no instruction.
    """
    picture, instruction = _parts(input)
    if isinstance(picture, Image.Image):
        pixels, note = fit_picture(images.to_rgb(picture))
    else:
        file = Path(where.rpartition(":")[0])
        pixels, note = open_picture(resolve(str(picture), file.parent if file.is_file() else Path()))
    return [Question(0, make_row(pixels, check_instruction(instruction)) | {"note": note})]


def _parts(input: Input) -> tuple[str | Path | Image.Image, str]:
    """The picture and the instruction of an input."""
    if isinstance(input, Mapping):
        if not input.get("image"):
            raise ZooError('no "image"', "a path or a data URI of the picture to edit", "add the column")
        return input["image"], str(input.get("instruction") or "")
    is_pair = isinstance(input, tuple | list) and len(input) == 2 and isinstance(input[1], str)
    if not is_pair or not isinstance(input[0], str | Path | Image.Image):
        raise ZooError(f"found {type(input).__name__}", 'a picture and an instruction, ("a.png", "make it blue")')
    return input


def answer(input: Input, questions: Sequence[Question], outputs: Sequence[str], options: Options) -> Answer:
    """The edited picture."""
    (question,), (output,) = questions, outputs
    instruction, note = question.row["instruction"], question.row["note"]
    picture = Image.fromarray(images.read(question.row["image"]))
    parsed = prompts.parse(output, question.row)
    if isinstance(parsed, Invalid):
        return Answer(instruction, picture, note=note, error=f"The model gave no picture: {parsed.reason}.")
    return Answer(instruction, picture, Image.fromarray(parsed.pixels), note)


def failed(input: Input, reason: str, options: Options) -> Answer:
    """The answer for an input that cannot be edited."""
    instruction = input.get("instruction") if isinstance(input, Mapping) else input[-1] if input else ""
    return Answer(str(instruction or ""), error=reason)
