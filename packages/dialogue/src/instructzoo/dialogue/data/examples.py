"""From annotated dialogues to questions: which builder makes the questions of which task type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from instructzoo.dialogue.data.builders import coherence, evaluation, generation, grounded, understanding, utterances
from instructzoo.dialogue.data.builders.base import Builder, item_of_dialogue
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.schema import Dialogue, Example

BUILDERS: dict[str, Builder] = {
    builder.__name__: builder
    for builder in (
        understanding.intent_classification,
        understanding.intent_present,
        understanding.act_classification,
        understanding.slot_filling,
        understanding.slot_present,
        understanding.slot_value_generation,
        understanding.gensf_slot_tagging,
        understanding.belief_state_generation,
        evaluation.emotion_tagging,
        evaluation.persuasion_strategy,
        evaluation.persuasion_present,
        evaluation.nli_classification,
        evaluation.dialfact_classification,
        evaluation.toxic_classification,
        evaluation.advice_present,
        evaluation.deal_present,
        evaluation.relation_classification,
        evaluation.relation_present,
        evaluation.count_response_words,
        evaluation.eval_binary,
        evaluation.eval_ranking,
        evaluation.eval_rating,
        coherence.find_missing_utterance,
        coherence.find_incoherent_utterance,
        coherence.find_swapped_utterance,
        coherence.fill_missing_utterance,
        generation.response_generation,
        generation.response_generation_with_n_words,
        generation.beginswith_controlled_generation,
        generation.endswith_controlled_generation,
        generation.keyword_controlled_generation,
        generation.target_controlled_generation,
        generation.edit_generation,
        generation.act_generation,
        generation.emotion_generation,
        generation.persuasion_generation,
        generation.advice_generation,
        generation.recovery_generation,
        generation.nontoxic_feedback_generation,
        grounded.persona_grounded_generation,
        grounded.knowledge_grounded_generation,
        grounded.document_grounded_generation,
        grounded.graph_based_generation,
        grounded.schema_based_generation,
        grounded.db_based_generation,
        grounded.answer_generation,
        grounded.answer_selection,
        grounded.question_generation,
        grounded.summarization,
        utterances.utterance_generation,
    )
}
"""A builder is named after its task type."""


def examples(dialogue: Dialogue, task: str, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The questions of a task type on a dialogue.

    Args:
        dialogue: The dialogue.
        task: The name of a task type.
        inventory: The labels of its data set.
        rng: Decides what is drawn, such as the slot that a question names.

    Yields:
        Questions that offer all options of the data set; none where the dialogue lacks what the task needs.
    """
    if task in BUILDERS:
        item = item_of_dialogue(dialogue)
        for example in BUILDERS[task](dialogue, inventory, rng):
            yield replace(example, item=example.item or item)
