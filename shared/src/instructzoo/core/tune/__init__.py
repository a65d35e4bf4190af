"""Training: objectives, optimisers, the loop, checkpoints."""

from instructzoo.core.tune.checkpoints import State
from instructzoo.core.tune.loop import EncodedSplits, fit
from instructzoo.core.tune.objectives import Causal, Objective, Seq2Seq, choose

__all__ = ["Causal", "EncodedSplits", "Objective", "Seq2Seq", "State", "choose", "fit"]
