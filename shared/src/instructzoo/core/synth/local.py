"""A teacher in this process: a language model of core.models, with its chat template where it has one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core import models, recipe, runs
from instructzoo.core import settings as core
from instructzoo.core.errors import ZooError
from instructzoo.core.models.load import open_tokenizer, to_device
from instructzoo.core.models.resolve import resolve
from instructzoo.core.recipe import Decode
from instructzoo.core.record import Segment
from instructzoo.core.synth.teacher import Settings
from instructzoo.core.text import Encoder

CONTEXT = 4096
"""Tokens of a prompt at most; a longer one is an error and is never truncated."""


class PlainPrompts:
    """Renders a prompt as one text, in the form that the encoder expects of a domain's `prompts` module."""

    @staticmethod
    def render(row: Mapping[str, Any], seed: int) -> list[Segment]:
        """Return the prompt as one segment to read; the seed has no effect."""
        return [Segment(row["prompt"], False)]


@dataclass(frozen=True)
class Local:
    """A language model in this process. identity: its weights and the settings that it samples with."""

    loaded: models.ModelBundle
    encoder: Encoder
    settings: Settings
    identity: str

    @classmethod
    def open(cls, backbone: str, settings: Settings) -> Local:
        """Load a backbone.

        Args:
            backbone: A name of `zoo fetch --list`, a folder or a hub id.
            settings: Sampling, and the template that prompts are put into.

        Returns:
            The teacher, its model on the device that is in use.

        Raises:
            ZooError: The backbone has no trained weights, or is not available.
        """
        if backbone.startswith("scratch:"):
            raise ZooError(f"{backbone} has learnt nothing", "a pretrained model", where="--teacher")
        location = resolve(backbone)
        tokenizer = open_tokenizer(location)
        template = settings.template or ("chat" if tokenizer.chat_template else "plain")
        values = {"backbone": backbone, "max_tokens": CONTEXT, "template": template}
        model_settings = core.validate(recipe.Model, values, "--teacher")
        loaded = models.load(model_settings, 0, list)
        loaded.model.eval()
        to_device(loaded.model)
        encoder = Encoder(loaded.tokenizer, PlainPrompts, loaded.kind, CONTEXT, template=template)
        sampling = settings.model_dump_json(include={"temperature", "top_p", "max_tokens", "stop"})
        identity = f"local:{backbone} {_weights_identity(location, loaded.model)} {template} {sampling}"
        return cls(loaded, encoder, settings, identity)

    def answer(self, prompts: Sequence[str]) -> list[str]:
        """Answer prompts, each answer cut off before the first of settings.stop.

        Args:
            prompts: Texts; the model's template is applied to each.

        Returns:
            The answers in the order of the prompts. Sampled ones depend on nothing but the prompts of this call.

        Raises:
            ZooError: A prompt has more than CONTEXT tokens.
        """
        from instructzoo.core.infer.generate import generate

        decode = Decode(
            max_new_tokens=self.settings.max_tokens,
            temperature=self.settings.temperature,
            top_p=self.settings.top_p,
        )
        token_ids = [self.encoder.prompt({"prompt": prompt}) for prompt in prompts]
        seed = int.from_bytes(hashlib.sha256("\x1f".join(prompts).encode()).digest()[:4], "big")
        answers = generate(self.loaded, token_ids, decode, seed, self.encoder.stop)
        return [self._until_stop(answer) for answer in answers]

    def _until_stop(self, text: str) -> str:
        starts = [start for stop in self.settings.stop if (start := text.find(stop)) >= 0]
        return text[: min(starts, default=len(text))]


def _weights_identity(location: Path | str, model: Any) -> str:
    """Identifies the weights: a hash of the files of a folder, or the commit of a hub id."""
    if isinstance(location, str):
        return str(getattr(model.config, "_commit_hash", None))
    digest = hashlib.sha256()
    for path in sorted(location.glob("*.safetensors")):
        digest.update(f"{path.name} {runs.sha256(path)}".encode())
    return digest.hexdigest()[:16]
