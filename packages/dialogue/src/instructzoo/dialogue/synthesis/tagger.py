"""A small tagger of intents and slots, the student that learns from real and generated utterances.

    tagger = train_tagger(utterances, seed=0)
    tagger.tag(["play some jazz"])        # [TaggedUtterance(Turn("user", "play some jazz", "PlayMusic", ...), 0.98)]

It learns from a few thousand utterances within a minute on one CPU core, and equal data and seed give an equal tagger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.schema import Turn
from instructzoo.dialogue.synthesis.tagger_features import OUTSIDE, slots_of, tags_of, token_features, token_spans

if TYPE_CHECKING:
    import torch

    from instructzoo.dialogue.synthesis.tagger_network import TaggerNetwork

NO_TAG = -100
"""Stands for the tag of a place beyond an utterance's end."""

ANSWERED_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class TaggerSettings:
    """How a tagger is made and trained.

    Attributes:
        updates: Updates; their number does not depend on the data, so that trainings on more data cost the same.
        batch: Utterances of an update.
        lr: Learning rate of the first update; it falls linearly to 0.
        width: Width of a token's vector.
        hidden: Width of the LSTM's state in each direction.
        dropout: Share of a vector that is dropped in training.
        buckets: Number of features.
    """

    updates: int = 1000
    batch: int = 32
    lr: float = 1e-2
    width: int = 64
    hidden: int = 64
    dropout: float = 0.3
    buckets: int = 1 << 14


@dataclass(frozen=True, slots=True)
class TaggedUtterance:
    """An utterance with the intent and slots that a tagger gives it, and the probability of the intent."""

    turn: Turn
    confidence: float


@dataclass(frozen=True)
class Tagger:
    """A trained tagger; `train_tagger` makes one."""

    network: TaggerNetwork
    intents: tuple[str, ...]
    tags: tuple[str, ...]
    buckets: int

    def tag(self, texts: Sequence[str]) -> list[TaggedUtterance]:
        """Give texts their intents and slots. A text's answer does not depend on the others.

        Args:
            texts: Texts with at least one letter or mark.

        Returns:
            One answer for each text, in order.

        Raises:
            ZooError: A text is blank.
        """
        import torch

        answers: list[TaggedUtterance] = []
        self.network.eval()
        with torch.no_grad():
            for first in range(0, len(texts), ANSWERED_AT_ONCE):
                answers += self._tag(texts[first : first + ANSWERED_AT_ONCE])
        return answers

    def _tag(self, texts: Sequence[str]) -> Iterator[TaggedUtterance]:
        from instructzoo.dialogue.synthesis.tagger_network import batch_of

        intent_scores, tag_scores = self.network(batch_of([_features(text, self.buckets) for text in texts]))
        confidences, intents = intent_scores.softmax(-1).max(-1)
        rows = zip(texts, intents.tolist(), confidences.tolist(), tag_scores.argmax(-1).tolist(), strict=True)
        for text, intent, confidence, tags in rows:
            spans = token_spans(text)
            slots = slots_of(text, spans, [self.tags[tag] for tag in tags[: len(spans)]])
            yield TaggedUtterance(Turn("user", text, self.intents[intent], slots=slots), confidence)


def train_tagger(
    utterances: Sequence[Turn],
    settings: TaggerSettings = TaggerSettings(),
    seed: int = 0,
) -> Tagger:
    """Train a tagger.

    Args:
        utterances: Utterances with intent and slots.
        settings: How it is made and trained.
        seed: Seed of its first weights and of the order of utterances.

    Returns:
        The tagger.

    Raises:
        ZooError: There are no utterances, or one is blank or has no intent or slots annotated.
    """
    import torch

    from instructzoo.dialogue.synthesis.tagger_network import TaggerNetwork

    if not utterances:
        raise ZooError("no utterances", "at least one", "name a file that has some")
    intents = tuple(sorted({_intent(utterance) for utterance in utterances}))
    tags_by_utterance = [tags_of(utterance, token_spans(utterance.text)) for utterance in utterances]
    tags = tuple(sorted({OUTSIDE, *(tag for tags in tags_by_utterance for tag in tags)}))
    features = [_features(utterance.text, settings.buckets) for utterance in utterances]
    intent_numbers = torch.tensor([intents.index(_intent(utterance)) for utterance in utterances])
    tag_numbers = [torch.tensor([tags.index(tag) for tag in row]) for row in tags_by_utterance]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TaggerNetwork(
            settings.buckets, settings.width, settings.hidden, len(intents), len(tags), settings.dropout
        )
        _train(network, features, intent_numbers, tag_numbers, settings, seed)
    return Tagger(network, intents, tags, settings.buckets)


def _train(
    network: TaggerNetwork,
    features: Sequence[Sequence[Sequence[int]]],
    intents: torch.Tensor,
    tags: Sequence[torch.Tensor],
    settings: TaggerSettings,
    seed: int,
) -> None:
    """Update the network: cross-entropy of the intents plus that of the tags."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.nn.utils.rnn import pad_sequence

    from instructzoo.dialogue.synthesis.tagger_network import batch_of

    rng = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), settings.lr, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, settings.updates)
    network.train()
    for indices in _batches(len(features), settings, rng):
        intent_scores, tag_scores = network(batch_of([features[i] for i in indices], rng))
        true_tags = pad_sequence([tags[i] for i in indices], batch_first=True, padding_value=NO_TAG)
        loss = cross_entropy(intent_scores, intents[indices])
        loss = loss + cross_entropy(tag_scores.flatten(0, 1), true_tags.flatten(), ignore_index=NO_TAG)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()


def _batches(n: int, settings: TaggerSettings, rng: torch.Generator) -> Iterator[list[int]]:
    """The indices of each update's utterances: all in a new order, again and again."""
    import torch

    waiting: list[int] = []
    for _ in range(settings.updates):
        while len(waiting) < settings.batch:
            waiting += torch.randperm(n, generator=rng).tolist()
        yield waiting[: settings.batch]
        del waiting[: settings.batch]


def _features(text: str, buckets: int) -> list[list[int]]:
    spans = token_spans(text)
    if not spans:
        raise ZooError(f"the utterance {text!r}", "a text with words", "remove it")
    return [token_features(text[start:end], buckets) for start, end in spans]


def _intent(utterance: Turn) -> str:
    if utterance.intent is None or utterance.slots is None:
        missing = "intent" if utterance.intent is None else "slots"
        raise ZooError(f'no {missing} of "{utterance.text[:60]}"', "utterances with intent and slots", "annotate it")
    return utterance.intent
