"""Names of settings in other trainers, and the setting of a recipe that stands for each.

A user who comes from transformers and TRL, LLaMA-Factory or axolotl types the names known from there. The error about
such a name says which setting to use instead and how the value translates (`instructzoo.core.settings.validate`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Alias:
    """What stands for a setting of another trainer.

    Args:
        setting: The dotted setting of a recipe, such as "train.lr"; empty where no setting corresponds.
        note: How the value translates, or what to use where no setting corresponds.
    """

    setting: str
    note: str

    def __str__(self) -> str:
        return f"{self.setting} ({self.note})" if self.setting else self.note


_SAME = "the same value"
_BATCH = (
    "examples per update over all processes"
    " = per_device_train_batch_size x gradient_accumulation_steps x number of processes"
)
_MAX_TOKENS = "tokens of prompt and target together; a target that does not fit is an error, never truncated"
_SHARDING = "true: FSDP2; train.offload moves the shards to CPU memory between uses"
_MODEL = "a local folder, a hub id or a name of zoo fetch --list"
_METHOD = "full or lora; qlora: lora with model.quantisation=nf4; freeze: subset with method.pattern"
_TARGETS = "a list of module names, or all-linear for all linear layers"
_SCHEDULE = "linear, cosine, constant, inverse-sqrt or wsd, each after the warm-up"
_QUANTISATION = "4 bits: nf4 or fp4; 8 bits: int8"
_SOURCES = "names of the domain's sources; data.path is the file or folder of your own data"
_VALIDATION = "fraction of items, where the source has no validation split; of generated rows data.sizes.validation"
_TEMPLATE = "chat: the tokenizer's own chat template; plain: the domain's prompt as it is"

ALIASES = {
    # model
    "model_name_or_path": Alias("model.backbone", _MODEL),
    "model_name": Alias("model.backbone", _MODEL),
    "base_model": Alias("model.backbone", _MODEL),
    "max_seq_length": Alias("model.max_tokens", _MAX_TOKENS),
    "max_length": Alias("model.max_tokens", _MAX_TOKENS),
    "cutoff_len": Alias("model.max_tokens", _MAX_TOKENS),
    "sequence_len": Alias("model.max_tokens", _MAX_TOKENS),
    "chat_template": Alias("model.template", _TEMPLATE),
    "load_in_4bit": Alias("model.quantisation", "nf4 or fp4 for true"),
    "load_in_8bit": Alias("model.quantisation", "int8 for true"),
    "quantization_bit": Alias("model.quantisation", _QUANTISATION),
    "bnb_4bit_quant_type": Alias("model.quantisation", _QUANTISATION),
    "torch_dtype": Alias("model.weights", "float32, bfloat16 or float16"),
    "pure_bf16": Alias("model.weights", "bfloat16 for true"),
    # method
    "finetuning_type": Alias("method.name", _METHOD),
    "adapter": Alias("method.name", _METHOD),
    "use_peft": Alias("method.name", "lora for true, full for false"),
    "lora_r": Alias("method.rank", _SAME),
    "lora_rank": Alias("method.rank", _SAME),
    "lora_alpha": Alias("method.alpha", f"{_SAME}: the update is multiplied by alpha / rank"),
    "lora_dropout": Alias("method.dropout", _SAME),
    "lora_target": Alias("method.targets", _TARGETS),
    "lora_target_modules": Alias("method.targets", _TARGETS),
    "lora_target_linear": Alias("method.targets", "all-linear for true"),
    "target_modules": Alias("method.targets", _TARGETS),
    "use_dora": Alias("method.dora", _SAME),
    "peft_use_dora": Alias("method.dora", _SAME),
    "use_rslora": Alias("method.rslora", _SAME),
    "peft_use_rslora": Alias("method.rslora", _SAME),
    "num_virtual_tokens": Alias("method.tokens", _SAME),
    # train: length and batches
    "num_train_epochs": Alias("train.epochs", "the same value; train.steps, where it is set, takes precedence"),
    "num_epochs": Alias("train.epochs", "the same value; train.steps, where it is set, takes precedence"),
    "max_steps": Alias("train.steps", "the same value; null instead of -1"),
    "per_device_train_batch_size": Alias("train.batch", f"{_BATCH}; train.micro_batch is the per-device part"),
    "gradient_accumulation_steps": Alias("train.batch", f"{_BATCH}; accumulation follows from train.micro_batch"),
    "micro_batch_size": Alias("train.micro_batch", "examples per forward pass of one process"),
    "packing": Alias("train.packing", _SAME),
    "neat_packing": Alias("train.packing", "the same value; packed rows never attend to one another"),
    "sample_packing": Alias("train.packing", "the same value; packed rows never attend to one another"),
    "group_by_length": Alias("", "no setting: rows are always batched by length, unless train.packing is true"),
    # train: optimiser
    "learning_rate": Alias("train.lr", _SAME),
    "lr_scheduler_type": Alias("train.schedule", _SCHEDULE),
    "lr_scheduler": Alias("train.schedule", _SCHEDULE),
    "cosine_min_lr_ratio": Alias("train.final_lr", "the same fraction of the peak learning rate"),
    "warmup_ratio": Alias("train.warmup", "the same fraction of the updates"),
    "warmup_steps": Alias("train.warmup_steps", _SAME),
    "optim": Alias("train.optimizer", "adamw for adamw_torch, adamw-8bit for adamw_8bit; others: docs/methods.md"),
    "optimizer": Alias("train.optimizer", "adamw for adamw_torch, adamw-8bit for adamw_8bit; others: docs/methods.md"),
    "weight_decay": Alias("train.weight_decay", _SAME),
    "adam_beta1": Alias("train.betas", "[adam_beta1, adam_beta2]"),
    "adam_beta2": Alias("train.betas", "[adam_beta1, adam_beta2]"),
    "adam_epsilon": Alias("train.eps", _SAME),
    "max_grad_norm": Alias("train.clip", "the same value; null instead of 0 turns clipping off"),
    "gradient_clipping": Alias("train.clip", "the same value; null turns clipping off"),
    # train: machine
    "bf16": Alias("train.precision", "bfloat16 for true, float32 for false; auto chooses by the device"),
    "fp16": Alias("train.precision", "float16 for true, float32 for false"),
    "gradient_checkpointing": Alias("train.activation_checkpointing", _SAME),
    "torch_compile": Alias("train.compile", _SAME),
    "deepspeed": Alias("train.sharding", _SHARDING),
    "fsdp": Alias("train.sharding", _SHARDING),
    "fsdp_config": Alias("train.sharding", _SHARDING),
    # train: validation, checkpoints, logs
    "eval_steps": Alias("train.evaluate_every", "updates between validations; a fraction becomes a number of updates"),
    "save_steps": Alias("train.checkpoint_every", "updates between checkpoints; they are also saved by the minute"),
    "logging_steps": Alias("train.log_every", "updates between lines of metrics.jsonl"),
    "early_stopping_patience": Alias("train.patience", "validations without a better loss"),
    "output_dir": Alias("", "zoo train --run-id NAME; $INSTRUCTZOO_RUNS is the folder of all runs"),
    # data
    "dataset": Alias("data.sources", _SOURCES),
    "datasets": Alias("data.sources", _SOURCES),
    "dataset_name": Alias("data.sources", _SOURCES),
    "data_path": Alias("data.path", "the file or folder of your own data"),
    "max_samples": Alias("data.limit", "rows of every split"),
    "val_set_size": Alias("data.validation", _VALIDATION),
    "val_size": Alias("data.validation", _VALIDATION),
    "data_seed": Alias("seed", "one seed for data, initial weights and order"),
    "seed": Alias("seed", "a setting of the recipe itself, in no group"),
    # generation
    "max_new_tokens": Alias("decode.max_new_tokens", _SAME),
    "temperature": Alias("decode.temperature", "the same value; 0 is greedy decoding"),
    "top_p": Alias("decode.top_p", _SAME),
    "do_sample": Alias("decode.temperature", "0 for false, a sampling temperature for true"),
}  # fmt: skip
"""By the name in transformers, TRL, LLaMA-Factory or axolotl."""


def table() -> Iterator[str]:
    """Markdown lines of all aliases: the other trainer's name, the setting, how the value translates."""
    yield "| name elsewhere | setting | value |"
    yield "| --- | --- | --- |"
    for name, alias in ALIASES.items():
        yield f"| `{name}` | {f'`{alias.setting}`' if alias.setting else 'none'} | {alias.note} |"
