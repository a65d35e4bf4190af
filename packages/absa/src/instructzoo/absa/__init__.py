"""Aspect-based sentiment analysis by instruction, after Varia et al. (arXiv:2210.06629)."""

from instructzoo.core.domain import Domain
from instructzoo.core.shelf import ONLY_MADE_UP, ShelfModel, TrainingData

domain = Domain(
    name="absa",
    title="Opinions in reviews",
    summary="aspects, categories, opinion terms and sentiments in reviews",
    paper="arXiv:2210.06629",
    columns=("task", "domain", "gold"),
    constrained=True,
    labels=("categories", "domains"),
    models=(
        ShelfModel(
            name="tiny",
            kind="tiny",
            base="from scratch",
            knows=f"{ONLY_MADE_UP}, reviews that a program writes: on real reviews it is often wrong.",
            data=(TrainingData("made-up reviews", "Apache-2.0"),),
            licence="Apache-2.0",
        ),
        ShelfModel(
            name="small",
            kind="small",
            base="smollm2-135m",
            knows="Learned from real English reviews of restaurants and laptops; other texts, even of hotels, are new.",
            data=(
                TrainingData("ASQP rest15 and rest16", "no licence file", research_only=True),
                TrainingData("ACOS", "no licence file", research_only=True),
                TrainingData("ASTE-Data-V2", "no licence file", research_only=True),
                TrainingData("SemEval-2014 to 2016", "research use", research_only=True),
            ),
            licence="research only, as its data",
        ),
        ShelfModel(
            name="instructabsa-joint",
            kind="published",
            base="allenai/tk-instruct-base-def-pos",
            knows="InstructABSA's weights for aspect terms with sentiments (aesc), in English; untested here.",
            data=(TrainingData("SemEval-2014 restaurants and laptops", "research use", research_only=True),),
            licence="MIT",
            repository="kevinscaria/joint_tk-instruct-base-def-pos-neg-neut-combined",
            dialect="instructabsa_joint",
            source="https://huggingface.co/kevinscaria/joint_tk-instruct-base-def-pos-neg-neut-combined/commits/main",
            revision="refs/pr/1",  # main has pickles; that this pull request is the hub's conversion was not confirmed
        ),
        ShelfModel(
            name="instructabsa-ate",
            kind="published",
            base="allenai/tk-instruct-base-def-pos",
            knows="InstructABSA's weights for aspect terms (ae), in English; untested here.",
            data=(TrainingData("SemEval-2014 restaurants and laptops", "research use", research_only=True),),
            licence="MIT",
            repository="kevinscaria/ate_tk-instruct-base-def-pos-neg-neut-combined",
            dialect="instructabsa_ate",
            source="https://huggingface.co/kevinscaria/ate_tk-instruct-base-def-pos-neg-neut-combined/discussions/1",
            revision="refs/pr/1",  # main has pickles; this is the hub's own conversion
            stored="safetensors",
        ),
    ),
)

__all__ = ["domain"]
