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
        ShelfModel(
            name="instruct-pix2pix",
            kind="published",
            base="stable-diffusion-v1-5/stable-diffusion-v1-5",
            knows="The paper's own editor of photographs and paintings, by English instructions; untested here.",
            data=(TrainingData("the paper's generated pairs", "not stated"),),
            licence="MIT, and what Stable Diffusion's licence restricts",
            repository="timbrooks/instruct-pix2pix",
            source="https://huggingface.co/timbrooks/instruct-pix2pix",
            revision="31519b5cb02a7fd89b906d88731cd4d6a7bbf88d",
            stored="safetensors",
        ),
    ),
)

__all__ = ["domain"]
