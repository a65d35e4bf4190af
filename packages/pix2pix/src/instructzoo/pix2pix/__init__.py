"""Image editing by instruction, after InstructPix2Pix (arXiv:2211.09800)."""

from instructzoo.core.domain import Domain
from instructzoo.core.shelf import ONLY_MADE_UP, ShelfModel, TrainingData

domain = Domain(
    name="pix2pix",
    title="Image editing",
    summary="an image changed as an instruction says, the rest of it kept",
    paper="arXiv:2211.09800",
    objective="own",
    columns=("image", "edited", "kind"),
    models=(
        ShelfModel(
            name="tiny",
            kind="tiny",
            base="from scratch",
            knows=f"{ONLY_MADE_UP}, pictures of drawn shapes: photographs come out wrong.",
            data=(TrainingData("made-up scenes", "Apache-2.0"),),
            licence="Apache-2.0",
        ),
    ),
)

__all__ = ["domain"]
