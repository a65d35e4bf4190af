"""The task types as one table: which fields a question has, where its options come from, and how it is answered.

48 are those of InstructDial (configs/alltasksv1.json and belief_state_generation, in prakharguptaz/Instructdial), under
its names, with its fields; two more are its meta-tasks. slot_filling and utterance_generation are of this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["classification", "slots", "state", "generation", "selection", "evaluation", "meta"]
OptionSource = Literal["labels", "yes/no", "turns", "candidates", "slots", "none"]
AnswerForm = Literal["option", "slots", "span", "value", "text"]
OptionLabels = Literal["", "letters", "numbers"]

YES_NO = ("yes", "no")
ALL_CORRECT = "all correct"
"""The option of find_missing_utterance and find_incoherent_utterance where no turn is wrong."""

NOT_PRESENT = "not present"
"""The answer to slot_value_generation and gensf_slot_tagging where the response does not name the slot."""

NONE_OF_THE_ABOVE = "none of the above"
"""The option that is right where no other one is."""


@dataclass(frozen=True, slots=True)
class TaskType:
    """A task type.

    Attributes:
        name: Its name; InstructDial's where it is one of its task types.
        group: The kind of task, under which scores are reported.
        fields: The field tokens of a question, in order. A question leaves out those that its data set lacks, save the
            last. Questions of the meta-tasks have the fields of the question that they are about besides.
        options: Where the options come from: labels of the data set, yes and no, the indices of turns, candidates that
            belong to the question, names of slots; or none are on offer.
        answer: "option": one of the options; "slots": pairs of slot and value; "span": words of the last field or
            NOT_PRESENT; "value": a short text that is right or wrong as a whole; "text": free text.
        names: What the wordings of the instruction name: the placeholders in them.
        option_labels: How InstructDial labels the options of this task type, which are then answered with the label:
            "A: ...", "0: ..." or not at all.
        origin: "instructdial", or "zoo" for task types that only this package has.
    """

    name: str
    group: Group
    fields: tuple[str, ...]
    options: OptionSource
    answer: AnswerForm
    names: tuple[str, ...] = ()
    option_labels: OptionLabels = ""
    origin: Literal["instructdial", "zoo"] = "instructdial"


BLOCKS = ("LANGUAGE", "INTENT", "INCLUDE", "LABELS", "EXAMPLES")
"""The fields of utterance_generation (prompts/linguist_format.py)."""

_CONTEXT = ("CONTEXT",)
_RESPONSE = ("CONTEXT", "RESPONSE")
_REQUESTED = ("ACT", *_RESPONSE)  # the act is what the system requested
_RATED = ("DOCUMENT", "PERSONA", "CONTEXT", "RESPONSE")

# fmt: off
TASKS: dict[str, TaskType] = {
    task.name: task
    for task in (
        # one label of a message
        TaskType("intent_classification", "classification", _RESPONSE, "labels", "option"),
        TaskType("intent_present", "classification", _RESPONSE, "yes/no", "option", ("intent",)),
        TaskType("act_classification", "classification", _RESPONSE, "labels", "option", (), "numbers"),
        TaskType("emotion_tagging", "classification", _RESPONSE, "labels", "option"),
        TaskType("persuasion_strategy", "classification", _RESPONSE, "labels", "option"),
        TaskType("persuasion_present", "classification", ("STRATEGY", *_RESPONSE), "yes/no", "option"),
        TaskType("nli_classification", "classification", _RESPONSE, "labels", "option"),
        TaskType("dialfact_classification", "classification", ("EVIDENCE", *_RESPONSE), "labels", "option", (),
                 "letters"),
        TaskType("toxic_classification", "classification", _RESPONSE, "yes/no", "option"),
        TaskType("advice_present", "classification", _RESPONSE, "yes/no", "option"),
        TaskType("deal_present", "classification", _CONTEXT, "yes/no", "option"),
        TaskType("relation_classification", "classification", _CONTEXT, "labels", "option", ("first", "second"),
                 "numbers"),
        TaskType("relation_present", "classification", _CONTEXT, "yes/no", "option", ("relation", "first", "second")),
        TaskType("count_response_words", "classification", _RESPONSE, "none", "value"),
        # slots and states
        TaskType("slot_filling", "slots", _REQUESTED, "slots", "slots", origin="zoo"),
        TaskType("slot_present", "slots", _REQUESTED, "yes/no", "option", ("slot",)),
        TaskType("slot_value_generation", "slots", _REQUESTED, "none", "span", ("slot",)),
        TaskType("gensf_slot_tagging", "slots", _REQUESTED, "none", "span", ("slot",)),
        TaskType("belief_state_generation", "state", _CONTEXT, "slots", "slots"),
        # one of several turns or answers
        TaskType("find_missing_utterance", "selection", _CONTEXT, "turns", "option"),
        TaskType("find_incoherent_utterance", "selection", _CONTEXT, "turns", "option"),
        TaskType("find_swapped_utterance", "selection", _CONTEXT, "none", "value"),
        TaskType("answer_selection", "selection", ("DOCUMENT", "CONTEXT"), "candidates", "option", (), "letters"),
        # how good a response is
        TaskType("eval_binary", "evaluation", _RATED, "yes/no", "option"),
        TaskType("eval_ranking", "evaluation", _RATED[:3], "candidates", "option", (), "letters"),
        TaskType("eval_rating", "evaluation", _RATED, "none", "value", ("criterion", "low", "high")),
        # free text
        TaskType("response_generation", "generation", _CONTEXT, "none", "text"),
        TaskType("response_generation_with_n_words", "generation", _CONTEXT, "none", "text", ("count",)),
        TaskType("beginswith_controlled_generation", "generation", ("INITIAL PHRASE", "CONTEXT"), "none", "text"),
        TaskType("endswith_controlled_generation", "generation", ("FINAL PHRASE", "CONTEXT"), "none", "text"),
        TaskType("keyword_controlled_generation", "generation", ("KEYWORDS", "CONTEXT"), "none", "text"),
        TaskType("target_controlled_generation", "generation", ("TARGET SENTENCE", "CONTEXT"), "none", "text"),
        TaskType("act_generation", "generation", ("ACT", "CONTEXT"), "none", "text"),
        TaskType("emotion_generation", "generation", ("EMOTION", "CONTEXT"), "none", "text"),
        TaskType("persuasion_generation", "generation", ("STRATEGY", "CONTEXT"), "none", "text"),
        TaskType("persona_grounded_generation", "generation", ("PERSONA", "CONTEXT"), "none", "text"),
        TaskType("knowledge_grounded_generation", "generation", ("DOCUMENT", "CONTEXT"), "none", "text"),
        TaskType("document_grounded_generation", "generation", ("DOCUMENT", "CONTEXT"), "none", "text"),
        TaskType("graph_based_generation", "generation", ("GRAPH", "CONTEXT"), "none", "text"),
        TaskType("schema_based_generation", "generation", ("SCHEMA", "CONTEXT"), "none", "text"),
        TaskType("db_based_generation", "generation", ("DB", "STATE", "ACT", "CONTEXT"), "none", "text"),
        TaskType("advice_generation", "generation", _CONTEXT, "none", "text"),
        TaskType("recovery_generation", "generation", _CONTEXT, "none", "text"),
        TaskType("nontoxic_feedback_generation", "generation", _CONTEXT, "none", "text"),
        TaskType("edit_generation", "generation", _RESPONSE, "none", "text"),
        TaskType("fill_missing_utterance", "generation", _CONTEXT, "none", "text"),
        TaskType("answer_generation", "generation", ("DOCUMENT", "CONTEXT"), "none", "text"),
        TaskType("question_generation", "generation", ("DOCUMENT", "CONTEXT"), "none", "text"),
        TaskType("summarization", "generation", _CONTEXT, "none", "text"),
        TaskType("utterance_generation", "generation", BLOCKS, "none", "text", origin="zoo"),
        # questions about instructions
        TaskType("instruction_selection", "meta", ("OUTPUT",), "candidates", "option", (), "letters"),
        TaskType("instruction_binary", "meta", ("INSTRUCTION", "OUTPUT"), "yes/no", "option", (), "letters"),
    )
}
# fmt: on

INSTRUCTDIAL = tuple(task.name for task in TASKS.values() if task.origin == "instructdial" and task.group != "meta")
"""Names of InstructDial's 48 task types."""
