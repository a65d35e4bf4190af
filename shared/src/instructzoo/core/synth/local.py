"""A teacher in this process: a language model of core.models, with its chat template where it has one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core import models, recipe, runs, settings
from instructzoo.core.errors import ZooError
from instructzoo.core.models import backbones
from instructzoo.core.models.load import open_tokenizer, to_device
from instructzoo.core.recipe import Decode
from instructzoo.core.record import Segment
from instructzoo.core.synth.teacher import Settings
from instructzoo.core.text import Encoder

CONTEXT = 4096
"""Tokens of a prompt at most; a longer one is an error and is never cut."""


class Plain:
    """A prompt that is one text, in the form that the encoder asks for."""

    @staticmethod
    def render(row: Mapping[str, Any], seed: int) -> list[Segment]:
        return [Segment(row["prompt"], False)]


@dataclass(frozen=True)
class Local:
    """identity: the model's weights and what it samples with."""

    loaded: models.ModelBundle
    encoder: Encoder
    settings: Settings
    identity: str

    @classmethod
    def open(cls, backbone: str, asked: Settings) -> Local:
        """Load a backbone by name, folder or hub id. Raises ZooError where it has no weights or cannot be had."""
        if backbone.startswith("scratch:"):
            raise ZooError(f"{backbone} has learnt nothing", "a pretrained model", where="--teacher")
        place = backbones.resolve(backbone)
        tokenizer = open_tokenizer(place)
        template = asked.template or ("chat" if tokenizer.chat_template else "plain")
        values = {"backbone": backbone, "max_tokens": CONTEXT, "template": template}
        model = settings.validate(recipe.Model, values, "--teacher")
        loaded = models.load(model, 0, list)
        loaded.model.eval()
        to_device(loaded.model)
        encoder = Encoder(loaded.tokenizer, Plain, loaded.kind, CONTEXT, template=template)
        how = asked.model_dump_json(include={"temperature", "top_p", "max_tokens", "stop"})
        return cls(loaded, encoder, asked, f"local:{backbone} {_weights(place, loaded.model)} {template} {how}")

    def answer(self, prompts: Sequence[str]) -> list[str]:
        """Answers, cut before the first of settings.stop. Sampled ones depend on the prompts of the call, no more."""
        from instructzoo.core.infer.generate import generate

        decode = Decode(
            max_new_tokens=self.settings.max_tokens,
            temperature=self.settings.temperature,
            top_p=self.settings.top_p,
        )
        ids = [self.encoder.prompt({"prompt": prompt}) for prompt in prompts]
        seed = int.from_bytes(hashlib.sha256("\x1f".join(prompts).encode()).digest()[:4], "big")
        return [self._stopped(text) for text in generate(self.loaded, ids, decode, seed, self.encoder.stop)]

    def _stopped(self, text: str) -> str:
        return text[: min([at for stop in self.settings.stop if (at := text.find(stop)) >= 0], default=len(text))]


def _weights(place: Path | str, model: Any) -> str:
    """What tells these weights from others: a hash of the files of a folder, or the commit of a hub id."""
    if isinstance(place, str):
        return str(getattr(model.config, "_commit_hash", None))
    digest = hashlib.sha256()
    for path in sorted(place.glob("*.safetensors")):
        digest.update(f"{path.name} {runs.sha256(path)}".encode())
    return digest.hexdigest()[:16]
