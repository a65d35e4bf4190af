"""The published data sets: folders, files, formats, licences, and the task types that each of them feeds.

A corpus is a line of this table. Folders and files are named as in their repositories (the README lists them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from instructzoo.core.data import corpora as core_corpora
from instructzoo.core.data import readers as core_readers
from instructzoo.core.data.line_files import split_from_name
from instructzoo.core.data.sources import OWN_LICENCE
from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data import readers


@dataclass(frozen=True)
class Corpus:
    """A published corpus.

    Attributes:
        folder: Its folder below `data.path`.
        files: For each split, a pattern of the file's name or of its path below the folder.
        format: The format of the files, as data/readers names it.
        licence: The licence of the data.
        tasks: The task types that it feeds; empty: whatever its files ask.
        research_only: Whether the licence allows research only, or is unclear.
        state_slots: The slots that count as state; empty: all that the files name.
        by_folder: Whether each folder with a file is a data set of its own, with its own labels.
        copies: Names of data sets of InstructDial and DialogStudio with the same texts; held out where it is.
    """

    folder: str
    files: Mapping[str, str]
    format: str
    licence: str
    tasks: tuple[str, ...]
    research_only: bool = False
    state_slots: tuple[str, ...] = ()
    by_folder: bool = False
    copies: tuple[str, ...] = ()


INTENTS = ("intent_classification", "intent_present")
SLOTS = ("slot_filling", "slot_present", "slot_value_generation", "gensf_slot_tagging")
UTTERANCES = ("utterance_generation",)
STATES = ("belief_state_generation",)
ACTS = ("act_classification", "act_generation")
RESPONSES = (
    "response_generation", "response_generation_with_n_words", "beginswith_controlled_generation",
    "endswith_controlled_generation", "keyword_controlled_generation", "edit_generation", "count_response_words",
    "eval_binary", "eval_ranking",
)  # fmt: skip
"""What a dialogue without annotation feeds."""

COHERENCE = (
    "find_missing_utterance",
    "find_incoherent_utterance",
    "find_swapped_utterance",
    "fill_missing_utterance",
)
"""What a dialogue of several turns feeds besides."""

LABELS = (
    "emotion_tagging", "emotion_generation", "persuasion_strategy", "persuasion_present", "persuasion_generation",
    "nli_classification", "dialfact_classification", "toxic_classification", "recovery_generation",
    "nontoxic_feedback_generation", "advice_present", "advice_generation", "deal_present", "relation_classification",
    "relation_present", "eval_rating",
)  # fmt: skip
"""What labels of turns and dialogues feed."""

GROUNDED = (
    "persona_grounded_generation", "knowledge_grounded_generation", "document_grounded_generation",
    "graph_based_generation", "schema_based_generation", "db_based_generation", "summarization",
)  # fmt: skip
"""What texts beside a dialogue feed."""

ANNOTATED = (*INTENTS, *SLOTS, *STATES, *ACTS, *LABELS, *GROUNDED)

CORPORA: dict[str, Corpus] = {
    "snips": Corpus(
        "intent_slot/snips",
        {"train": r"train/seq\.in", "test": r"dev/seq\.in"},
        "joint-bert",
        "CC0-1.0",
        (*INTENTS, *SLOTS, *UTTERANCES),
        copies=("snips", "SNIPS", "SNIPS-NER"),
    ),
    "atis": Corpus(
        "intent_slot/atis",
        {"train": r"train/seq\.in", "validation": r"dev/seq\.in", "test": r"test/seq\.in"},
        "joint-bert",
        "unclear, derived from LDC data (research use)",
        (*INTENTS, *SLOTS, *UTTERANCES),
        research_only=True,
        copies=("atis", "ATIS", "ATIS-NER"),
    ),
    "banking77": Corpus(
        "intent_slot/banking77",
        {"train": r"train\.csv", "test": r"test\.csv"},
        "banking77",
        "CC-BY-4.0",
        INTENTS,
        copies=("intent-banking", "BANKING77"),
    ),
    "clinc150": Corpus(
        "intent_slot/clinc150",
        {"train": r"data_\w+\.json"},
        "clinc150",
        "CC-BY-3.0",
        INTENTS,
        copies=("intent-clinc", "CLINC150"),
    ),
    "hwu64": Corpus(
        "intent_slot/hwu64",
        {"train": r"train(_10)?/seq\.in", "validation": r"valid/seq\.in", "test": r"test/seq\.in"},
        "joint-bert",
        "CC-BY-4.0",
        INTENTS,
        copies=("intent-hwu", "HWU64"),
    ),
    "restaurant8k": Corpus(
        "intent_slot/restaurant8k",
        {"train": r"train_[03]\.json", "test": r"test\.json"},
        "span-extraction",
        "CC-BY-4.0",
        SLOTS,
        copies=("RESTAURANTS8K",),
    ),
    "dstc8": Corpus(
        "intent_slot/dstc8_span",
        {"train": r".+/train_[03]\.json", "test": r".+/test\.json"},
        "span-extraction",
        "CC-BY-SA-4.0",
        SLOTS,
        by_folder=True,
        copies=("slot-dstc8_sgd", "DSTC8-SGD"),
    ),
    "woz2": Corpus(
        "dialogue/woz2",
        {"train": r"woz_train_en(\.min)?\.json", "test": r"woz_validate_en(\.min)?\.json"},
        "woz2",
        "Apache-2.0",
        (*STATES, *ACTS, *RESPONSES, *COHERENCE),
        state_slots=("food", "area", "price range"),
        copies=("wozdst", "WOZ2_0"),
    ),
    "convai2": Corpus(
        "dialogue/convai2",
        {"train": r"train_self_(original|revised)\.txt", "test": r"valid_self_(original|revised)\.txt"},
        "parlai",
        "unclear (research use)",
        ("persona_grounded_generation", "target_controlled_generation", *RESPONSES, *COHERENCE),
        research_only=True,
        copies=("convai2", "ConvAI2"),
    ),
    "dailydialog": Corpus(
        "dialogue/dailydialog",
        {split: rf"(.+/)?dialogues_{split}\.txt" for split in ("train", "validation", "test")},
        "dailydialog",
        "CC-BY-NC-SA-4.0",
        (*ACTS, "emotion_tagging", "emotion_generation", "target_controlled_generation", *RESPONSES, *COHERENCE),
        research_only=True,
        copies=("dailydialog",),
    ),
    "samsum": Corpus(
        "dialogue/samsum",
        {"train": r"train\.json", "validation": r"val\.json", "test": r"test\.json"},
        "summaries",
        "CC-BY-NC-ND-4.0",
        ("summarization",),
        research_only=True,
        copies=("samsum", "SAMSum"),
    ),
    "dialogsum": Corpus(
        "dialogue/dialogsum",
        {
            "train": r"dialogsum\.train\.jsonl",
            "validation": r"dialogsum\.dev\.jsonl",
            "test": r"dialogsum\.test\.jsonl",
        },
        "summaries",
        "CC-BY-NC-SA-4.0",
        ("summarization",),
        research_only=True,
        copies=("dialogsum", "DialogSum"),
    ),
    "oasst": Corpus(
        "instructions/oasst", {"train": r".*tree(s)?\.jsonl"}, "threads", "Apache-2.0", ("response_generation",)
    ),
    "dialogstudio": Corpus(
        "dialogue/dialogstudio_examples",
        {"train": r".+/(converted_examples|train)\.json", "validation": r".+/val\.json", "test": r".+/test\.json"},
        "dialogstudio",
        "those of its data sets, several for research only",
        (*ANNOTATED, *RESPONSES, *COHERENCE, "question_generation", "answer_generation", "answer_selection"),
        research_only=True,
        by_folder=True,
    ),
    "instructdial": Corpus(
        "dialogue/instructdial",
        {"train": r"sample_text2text\.jsonl?"},
        "instructdial",
        "those of its data sets, several for research only",
        (),
        research_only=True,
    ),
}


OWN = Corpus("own", {}, "", OWN_LICENCE, (*ANNOTATED, "response_generation"))
"""What a user's own dialogues feed; data.options.tasks may name any other task type."""


def locate(name: str, path: str | None, only_source: bool) -> dict[str, list[Path]]:
    """Find the files of a published corpus.

    Args:
        name: A key of CORPORA.
        path: The setting data.path: a folder that holds intent_slot/ and dialogue/, or one of these; with a single
            source also the corpus's own folder, or one file, whose name decides its split (train where it names none).
        only_source: Whether the recipe has no other source that is read from files.

    Returns:
        The files by split.

    Raises:
        ZooError: None of the files is found.
    """
    corpus, siblings = CORPORA[name], [other.folder for other in CORPORA.values()]
    return core_corpora.locate(name, corpus.folder, corpus.files, path, only_source, "", siblings)


def own_files(path: str | None, only_source: bool) -> dict[str, list[Path]]:
    """Find the user's own file, or all files of a folder.

    Args:
        path: The setting data.path. With other sources, the folder own/ in it is read.
        only_source: Whether the recipe has no other source that is read from files.

    Returns:
        The files by split, which the name of a file or its folder decides; train where it names none.

    Raises:
        ZooError: A file is in no known format, or there is no file.
    """
    root = core_corpora.data_path("own", path)
    if not only_source:
        root = core_readers.existing_path(root / "own", folder=True)
    files: dict[str, list[Path]] = {}
    for file in [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file()):
        if file != root and readers.stands_beside(file):
            continue
        if readers.format_of(file) is None:
            raise ZooError(f'"{file.name}" is in no known format', "a dialogue file", "remove it", str(file))
        relative = file.name if file == root else file.relative_to(root).as_posix()
        files.setdefault(split_from_name(relative), []).append(file)
    if not files:
        raise ZooError("no file in this folder", "dialogues as JSON Lines or CSV", where=str(root))
    return files
