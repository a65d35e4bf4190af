"""Settings of the optimisation of a run: the group `train` of a recipe."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from instructzoo.core.settings import Settings

Fraction = Annotated[float, Field(ge=0, lt=1)]


class Train(Settings):
    """Optimisation: length, batches, optimiser, precision, validation and checkpoints."""

    steps: int | None = Field(None, ge=1, description="number of optimiser updates; none: follows from epochs")
    epochs: float = Field(1.0, gt=0, description="passes over the training rows, where steps is none")
    batch: int = Field(16, ge=1, description="examples per update over all processes (global batch size)")
    micro_batch: int | None = Field(
        None, ge=1, description="examples per forward pass of one process; none: by micro_tokens"
    )
    micro_tokens: int = Field(
        16_384, ge=16, description="tokens per forward pass, padding included, where micro_batch is none"
    )
    lr: float = Field(1e-3, gt=0, description="peak learning rate")
    schedule: Literal["cosine", "linear", "constant", "inverse-sqrt", "wsd"] = Field(
        "cosine", description="learning rate schedule after the warm-up; docs/methods.md has the formulas"
    )
    warmup: float = Field(
        0.03, ge=0, lt=1, description="fraction of the updates over which the learning rate rises linearly"
    )
    warmup_steps: int | None = Field(
        None, ge=0, description="the same as a number of updates, in place of warmup; none: by warmup"
    )
    decay: float = Field(
        0.1, gt=0, le=1, description="fraction of the updates, at the end of the run, over which wsd falls linearly"
    )
    final_lr: float = Field(
        0.0, ge=0, le=1, description="final learning rate of cosine, linear and wsd, a fraction of the peak"
    )
    optimizer: str = Field("adamw", description="optimiser; docs/methods.md lists them")
    weight_decay: float = Field(0.0, ge=0, description="decoupled weight decay, applied to matrices only")
    betas: tuple[Fraction, Fraction] = Field(
        (0.9, 0.999), description="decay rates of the two moments of AdamW and Lion"
    )
    eps: float = Field(
        1e-8, gt=0, description="epsilon of AdamW, which is added to the square root of the second moment"
    )
    clip: float | None = Field(1.0, gt=0, description="maximum gradient norm; none: no clipping")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="dtype of mixed precision; auto: bfloat16 on GPUs that support it, else float32"
    )
    ema: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="decay of a moving average of the weights, validated and saved in their place; none: off",
    )
    packing: bool = Field(
        False, description="several rows per sequence, without attention between them; causal backbones"
    )
    activation_checkpointing: bool = Field(
        False, description="gradient checkpointing: store layer inputs only and recompute the rest"
    )
    sharding: bool = Field(False, description="shard weights, gradients and optimiser state over the processes (FSDP2)")
    offload: bool = Field(False, description="with sharding: keep the shards in CPU memory between uses")
    compile: bool = Field(False, description="compile the decoder with torch.compile; the first updates take minutes")
    evaluate_every: int | None = Field(None, ge=1, description="updates between validations; none: ten per run")
    validation_rows: int | None = Field(
        1000, ge=1, description="maximum number of validation rows, sampled by seed; none: all"
    )
    patience: int | None = Field(
        None, ge=1, description="validations without a better loss before early stopping; none: off"
    )
    checkpoint_minutes: float = Field(3.0, gt=0, description="minutes between checkpoints")
    checkpoint_every: int | None = Field(
        None, ge=1, description="updates between checkpoints, in addition to checkpoint_minutes"
    )
    log_every: int = Field(10, ge=1, description="number of updates between lines of metrics.jsonl")
