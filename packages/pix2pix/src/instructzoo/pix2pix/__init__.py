"""Image editing by instruction, after InstructPix2Pix (arXiv:2211.09800)."""

from instructzoo.core.domain import Domain

domain = Domain(
    name="pix2pix",
    title="Image editing",
    summary="an image changed as an instruction says, the rest of it kept",
    paper="arXiv:2211.09800",
    objective="own",
    columns=("image", "edited", "kind"),
)

__all__ = ["domain"]
