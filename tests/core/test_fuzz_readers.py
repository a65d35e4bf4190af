"""No file that a user may bring ends in a traceback or in a hang: each is read, or refused in one line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzzing import fuzzed, mutated, reads_or_refuses
from PIL import Image

from instructzoo.absa import sources as absa_sources
from instructzoo.absa.data import readers as absa_readers
from instructzoo.arithmetic.data import readers as arithmetic_readers
from instructzoo.core.data import exports, line_files
from instructzoo.core.data import readers as core_readers
from instructzoo.core.record import Record
from instructzoo.dialogue.data import readers as dialogue_readers
from instructzoo.dialogue.data.readers import instructdial
from instructzoo.pix2pix import sources as pix2pix_sources
from instructzoo.pix2pix.data.readers import hub, instructpix2pix, paired_folders, table
from instructzoo.pix2pix.data.readers.base import Tally
from instructzoo.uie import sources as uie_sources
from instructzoo.uie.data import readers as uie_readers

QUICK, SLOW = 12, 450
"""Examples of each target in the ordinary tests and in the slow ones; those of all targets together are over 20,000."""


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        file: The name of the file that is fuzzed.
        read: Reads it to its end.
        valid: Contents that it reads without an error.
        beside: Files that stand beside it.
    """

    file: str
    read: Callable[[Path], Any]
    valid: tuple[bytes, ...]
    beside: tuple[tuple[str, bytes], ...] = ()


TURNS = [{"role": "user", "content": "1 + 2?"}, {"role": "assistant", "content": "3"}]
MESSAGES = {"messages": TURNS}
SHARED = [{"from": "human", "value": "1 + 2?"}, {"from": "gpt", "value": "3"}]


def lines_of(*rows: Any) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def table_of(*rows: dict[str, str], delimiter: str = ",") -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def parquet_of(*rows: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), file)
    return file.getvalue()


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    return file.getvalue()


# --- information extraction

SPANS = [{"type": "person", "start": 0, "end": 3, "text": "Ann", "id": "T1"}, {"label": "city", "start": 13, "end": 17}]
EVENT = {"type": "stay", "trigger": {"start": 4, "end": 9}, "arguments": [{"role": "who", "start": 0, "end": 3}]}
OFFSETS = {
    "text": "Ann lives in Oslo",
    "entities": SPANS,
    "relations": [{"type": "Live_In", "head": "T1", "tail": 1}],
    "events": [EVENT],
}
PRODIGY = {
    "text": "😀 Ann left",
    "spans": [{"start": 3, "end": 6, "label": "who"}],
    "answer": "accept",
    "_task_hash": 1,
}
DOCCANO = {"id": 1, "text": "Ann lives", "label": [[0, 3, "who"]], "Comments": []}
LABEL = {"id": "a", "type": "labels", "value": {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}}
MET = {"type": "relation", "from_id": "a", "to_id": "a", "direction": "left", "labels": ["met"]}
LABEL_STUDIO = {"data": {"text": "Ann met Ann"}, "annotations": [{"was_cancelled": False, "result": [LABEL, MET]}] * 2}
CONLL04 = {"tokens": ["Ann", "met", "Bo"], "entities": [[0, 1, "P"], [2, 3, "P"]], "relations": [[0, 1, 2, 3, "met"]]}
DRUG = {"text": [["drug", "B"]], "start": [[11, 27]], "value": True, "Drug": {"text": [["drug A"]], "start": [[11]]}}
PHEE_EVENT = {"event_type": "Adverse", "Trigger": {"text": [["after"]], "start": [[5]]}, "Treatment": DRUG}
PHEE = {"context": "Rash after drug A and drug B.", "annotations": [{"events": [PHEE_EVENT]}]}
CONLL = (
    b"-DOCSTART- -X- O\n\nAnn B-PER\nlives O\nin O\nNew I-LOC\nYork I-LOC\n\n# id 1\nBo S-PER\nleft E-x\n",
    "1\tÄnn\t_\tB-PER\n2\tlives\t_\tO\n\n1\tNew\u00a0York\tX\tB-LOC\n".encode(),
)
SEMEVAL10 = b'1\t"The <e1>cup</e1> holds <e2>tea</e2>."\nHolds(e2,e1)\nComment\n\n2\t"<e1>a</e1> <e2>b</e2>"\nOther\n'
BRAT = (
    b"T1\tPer 0 3\tAnn\nT2\tAct 4 9\tlives\nT3\tLoc 10 12;13 17\tin Oslo\nR1\tIn Arg1:T1 Arg2:T3\n"
    b"E1\tAct:T2 Who:T1 Where2:T3\nA1\tNeg E1\n#1\tAnnotatorNotes T1\tx\n",
)
BRAT_TEXT = "Ann lives in Oslo. 😀\r\nBo left.\n".encode()


def read_uie(path: Path) -> None:
    list(uie_readers.read_file(path))
    list(uie_sources.gold(path) or ())


UIE = {
    "CoNLL": Target("a.conll", read_uie, CONLL),
    "SemEval-2010": Target("a.txt", read_uie, (SEMEVAL10,)),
    "offsets": Target("a.jsonl", read_uie, (lines_of(OFFSETS, DOCCANO, {"text": "x"}),)),
    "offsets in a list": Target("a.json", read_uie, (json.dumps([OFFSETS, PRODIGY]).encode(),)),
    "one object": Target("b.json", read_uie, (json.dumps(OFFSETS, indent=1).encode(),)),
    "Prodigy": Target("a.jsonl", read_uie, (lines_of(PRODIGY, PRODIGY | {"answer": "reject"}, DOCCANO),)),
    "Label Studio": Target("a.json", read_uie, (json.dumps([LABEL_STUDIO, LABEL_STUDIO]).encode(),)),
    "CoNLL04": Target("a.json", read_uie, (json.dumps([CONLL04]).encode(),)),
    "tokens and tags": Target("a.jsonl", read_uie, (lines_of({"tokens": ["a", "b"], "ner_tags": ["B-x", "O"]}),)),
    "PHEE": Target("a.jsonl", read_uie, (lines_of(PHEE, PHEE),)),
    "brat": Target("a.ann", read_uie, BRAT, (("a.txt", BRAT_TEXT),)),
    "text of brat": Target("a.txt", read_uie, (BRAT_TEXT,), (("a.ann", BRAT[0]),)),
}

# --- aspect-based sentiment

QUAD = {"aspect": "wine", "category": "DRINKS#QUALITY", "opinion": "Great", "sentiment": "positive"}
OWN_LINE = {"text": "Great wine", "quads": [QUAD], "domain": "restaurant"}
XML = (
    b'<?xml version="1.0"?><sentences><sentence id="1"><text>The wine is good &amp; cheap</text><aspectTerms>'
    b'<aspectTerm term="wine" polarity="positive" from="4" to="8"/></aspectTerms></sentence></sentences>',
    b'<Reviews><Review rid="1"><sentences><sentence id="1:0"><text>Bad</text><Opinions><Opinion target="NULL" '
    b'category="FOOD#QUALITY" polarity="negative" /></Opinions></sentence></sentences></Review></Reviews>',
)
SEMEVAL_CSV = table_of(
    {
        "sentenceId": "1",
        "raw_text": "The wine is good",
        "aspectTerms": "[{'term': 'wine', 'polarity': 'positive'}]",
        "aspectCategories": "[{'category': 'food', 'polarity': 'positive'}]",
    }
)


def read_absa(path: Path) -> None:
    list(absa_readers.read_file(path))
    list(absa_sources.gold(path) or ())


def own_absa(path: Path) -> None:
    list(absa_readers.read_file(path, "own"))


ABSA = {
    "ASQP": Target("a.txt", read_absa, (b"Wine is fine####[['Wine', 'drinks quality', 'positive', 'fine']]\n",)),
    "ASTE": Target("a.txt", read_absa, (b"The wine is fine .####[([1], [3], 'POS')]\na####[([0], [0], 'NEG')]\n",)),
    "ACOS": Target("a.tsv", read_absa, (b"The wine is fine .\t1,2 DRINKS#QUALITY 2 3,4\t-1,-1 A#B 0 0,1\n",)),
    "SemEval XML": Target("a.xml", read_absa, XML),
    "SemEval CSV": Target("a.csv", read_absa, (SEMEVAL_CSV,)),
    "own lines": Target("a.jsonl", own_absa, (lines_of(OWN_LINE, OWN_LINE | {"quads": []}),)),
    "own table": Target("a.csv", own_absa, (table_of({"text": "Great, wine"} | QUAD),)),
    "own rows": Target("a.jsonl", own_absa, (lines_of({"input": "Ok", "task": "asqp", "gold": json.dumps([QUAD])}),)),
}  # fmt: skip

# --- arithmetic

GOAT = {"instruction": "What is 3+4?", "input": "3 + 4", "output": "3 + 4 = 7", "answer": "7"}
BIGBENCH = {"examples": [{"input": "What is 3 plus 4?", "target": "7"}, {"input": "1-2", "target_scores": {"-1": 1}}]}


def read_goat(path: Path) -> None:
    list(arithmetic_readers.read_goat(core_readers.read(path)))


def read_bigbench(path: Path) -> None:
    list(arithmetic_readers.read_bigbench(arithmetic_readers.bigbench_examples(path)))


ARITHMETIC = {
    "Goat": Target("a.jsonl", read_goat, (lines_of(GOAT, GOAT | {"answer": None}),)),
    "Goat in a list": Target("a.json", read_goat, (json.dumps([GOAT, GOAT | {"answer": 7}]).encode(),)),
    "BIG-bench": Target("task.json", read_bigbench, (json.dumps(BIGBENCH).encode(),)),
}

# --- pictures

PAIR = {"instruction": "make it night", "image": "a.png", "edited": "b.png", "input": "a lake", "id": "1"}
VARIANTS = {"variants": '[["a.png", "b.png"]]'}
PNG = png()
COLUMNS = hub.Columns("image", "instruction", "edited", "input", "output")
PICTURES = (("a.png", PNG), ("b.png", PNG))


def read_pairs(path: Path) -> None:
    list(table.read_examples(path))
    list(pix2pix_sources.gold(path) or ())


def read_hub(path: Path) -> None:
    for rows in hub.open_folder(path).values():
        list(hub.read_examples(rows, COLUMNS, path.parent, Tally()))


def read_instructions(path: Path) -> None:
    for side in ("before", "after"):
        (path.parent / side).mkdir(exist_ok=True)
        (path.parent / side / "a.png").write_bytes(PNG)
    list(paired_folders.read_examples(path.parent, "before", "after", Tally()))


def read_released(path: Path) -> None:
    folder = path.parent / "0000123"
    folder.mkdir(exist_ok=True)
    (folder / "17_0.jpg").write_bytes(PNG)
    (folder / "prompt.json").write_bytes(path.read_bytes())
    list(instructpix2pix.read_examples(path.parent, Tally()))


def read_seeds(path: Path) -> None:
    folder = path.parent / "0000123"
    folder.mkdir(exist_ok=True)
    (folder / "prompt.json").write_bytes(PROMPT)
    list(instructpix2pix.read_examples(path.parent, Tally()))


PROMPT = json.dumps({"caption": "a lake", "edit": "make it night", "output": "a lake by night"}).encode()
PIX2PIX = {
    "pairs as lines": Target("a.jsonl", read_pairs, (lines_of(PAIR, PAIR | VARIANTS),), PICTURES),
    "pairs as a table": Target("a.csv", read_pairs, (table_of({k: str(v) for k, v in PAIR.items()}),), PICTURES),
    "pairs as Parquet": Target("a.parquet", read_hub, (parquet_of(PAIR | {"image": PNG, "edited": {"bytes": PNG}}),)),
    "instructions.csv": Target("instructions.csv", read_instructions, (b"file,instruction\na.png,make it night\n",)),
    "prompt.json": Target("prompt.json", read_released, (PROMPT,)),
    "seeds.json": Target("seeds.json", read_seeds, (b'[["0000123", ["17", 29]]]',)),
}  # fmt: skip

# --- dialogue

JOINT_BERT = (("seq.out", b"O B-genre I-genre\nO O\n"), ("label", b"play_music\nstop\n"))
JOINT_BERT_TEXTS = (("seq.in", b"some smooth jazz\nstop it\n"),)
SNIPS_UTTERANCE = {"data": [{"text": " play some "}, {"text": "jazz ", "entity": "genre"}, {"text": ""}]}
CLINC = {"oos_train": [["how tall is it", "oos"]], "train": [["play jazz", "play_music"]], "val": [["stop", "stop"]]}
TABLE_FOR_TWO = {"slot": "people", "valueSpan": {"startIndex": 12, "endIndex": 15}}
SPAN_TURNS = [
    {"userInput": {"text": "A table for two"}, "context": {"requestedSlots": ["people"]}, "labels": [TABLE_FOR_TWO]},
    {"userInput": {"text": "Two"}, "labels": [{"slot": "people", "valueSpan": {"endIndex": 3}}], "id": "1"},
]
WOZ_STATE = [{"act": "inform", "slots": [["food", "thai"]]}, {"act": "request", "slots": [["slot", "phone"]]}]
WOZ_TURN = {"transcript": "Thai", "turn_label": [["food", "thai"], ["request", "phone"]], "belief_state": WOZ_STATE}
WOZ = [{"dialogue_idx": 0, "dialogue": [{"system_transcript": text} | WOZ_TURN for text in ("", "Hi")]}]
STUDIO_SIDES = {"original user side information": {"act": ["inform(a=b)"]}, "original system side information": "{}"}
STUDIO_TURN = {
    "user utterance": "Thai",
    "system response": "Ok",
    "dst accumulated": "food kind thai, spicy, food area x",
}
STUDIO = {
    "Made--val--1": {"original dialog id": "", "log": [STUDIO_TURN | STUDIO_SIDES, STUDIO_TURN | {"intent": "a"}]},
    "SNIPS-NER--train--1": {
        "original dialog info": {"task": "BIO tag"},
        "log": {"user utterance": "play some jazz", "system response": "O O B-genre"},
    },
    "SNIPS--train--1": {"log": [{"user utterance": "play some jazz", "system response": "PlayMusic"}]},
    "Slots--train--1": {
        "original dialog info": {"task": "Slot Filling"},
        "log": [
            {
                "user utterance": "A table for two",
                "original system side information": [TABLE_FOR_TWO | {"value": "two"}],
            }
        ],
    },
}
OWN_SLOTS = [{"name": "time", "value": "seven", "start": 11, "end": 16}, {"name": "who", "value": "me"}]
OWN_TEXT = {"text": "Wake me at seven", "intent": "set alarm", "slots": OWN_SLOTS}
OWN_TURNS = [
    {"role": "user", "text": "For two", "state": {"people": "two"}, "acts": ["inform"], "slots": {"people": "two"}},
    {"speaker": "Ann", "text": "Where?", "acts": "request, greet", "labels": {"emotion": "joy"}},
]
OWN = {"id": "1", "turns": OWN_TURNS, "summary": "A table", "labels": {"topic": "food"}, "split": "test"}
OWN_ROWS = (
    {"dialogue_id": "a", "role": "user", "text": "For two", "acts": "inform", "state": '{"people": "two"}'},
    {"dialogue_id": "a", "role": "agent", "text": "Where, please?", "acts": "", "state": ""},
)
PARLAI = (
    b"1 your persona: i sing.\n2 hello !\thi\t\tno|hi\n3 bye\tbye|ciao\n1 __SILENCE__\tmorning\n",
    b"text:your persona: i sing.\\nhi\tlabels:hello\ntext:bye\teval_labels:bye\tepisode_done:True\n",
)
DAILY = b"Hi , Ann . __eou__ Hello ! __eou__\nGo ! __eou__ No . __eou__\n"
DAILY_BESIDE = (("dialogues_act.txt", b"1 2\n3 4\n"), ("dialogues_topic.txt", b"1\n10\n"))
DAILY_TEXTS = (("dialogues_text.txt", DAILY),)
SAMSUM = {"id": "1", "dialogue": "Ann: Are you in?\r\nBo: Soon\r\nor not", "summary": "Bo comes.", "topic": "visit"}
REPLY = {"message_id": "2", "parent_id": "1", "role": "assistant", "text": "Hello", "rank": 0, "deleted": False}
OASST = {
    "message_id": "1",
    "parent_id": None,
    "role": "prompter",
    "text": "Hi",
    "replies": [REPLY, REPLY | {"rank": 1}],
}
OASST_TREE = {"message_tree_id": "1", "tree_state": "ready_for_export", "prompt": OASST}


def read_dailydialog(path: Path) -> None:
    list(dialogue_readers.read_file(path.with_name("dialogues_text.txt"), "dailydialog"))


INSTRUCTDIAL = {
    "task": "act_classification",
    "dataset": "made-up",
    "output": "B",
    "all_outputs": ["B"],
    "prompt": "Instruction: Choose\nInput: [CONTEXT] a [ENDOFDIALOGUE] [OPTIONS] A: x||||B: y [QUESTION] What?",
}


def read_instructdial(path: Path) -> None:
    list(instructdial.read_examples(path))


RASA = b"""version: "3.1"
nlu:
- intent: book
  examples: |
    - from [Oslo](city) to [Rome]{"entity": "city", "role": "to"}
    - [now](time:today) or [then][{"entity": "time"}, {"entity": "date"}]
- intent: stop
  examples:
  - text: stop it
    metadata: {mood: bad}
- lookup: city
  examples: |
    - Oslo
"""


def read_dialogues(path: Path) -> None:
    if dialogue_readers.format_of(path):
        list(dialogue_readers.read_file(path))


def read_dialogues_as(format: str) -> Callable[[Path], Any]:
    return lambda path: list(dialogue_readers.read_file(path, format))


DIALOGUE = {
    "texts of JointBERT": Target("seq.in", read_dialogues, (b"some smooth jazz \nstop it\n",), JOINT_BERT),
    "tags of JointBERT": Target("seq.out", read_dialogues_as("joint-bert"), (JOINT_BERT[0][1],), JOINT_BERT_TEXTS),
    "SNIPS": Target("a.json", read_dialogues_as("snips"), (json.dumps({"PlayMusic": [SNIPS_UTTERANCE] * 2}).encode(),)),
    "CLINC150": Target("a.json", read_dialogues_as("clinc150"), (json.dumps(CLINC).encode(),)),
    "BANKING77": Target("a.csv", read_dialogues, (b'text,category\r\n"a card, lost",lost_card\r\n',)),
    "Rasa": Target("a.yml", read_dialogues, (RASA,)),
    "Restaurant8k": Target("a.json", read_dialogues, (json.dumps(SPAN_TURNS).encode(),)),
    "WOZ 2.0": Target("a.json", read_dialogues, (json.dumps(WOZ).encode(),)),
    "DialogStudio": Target("a.json", read_dialogues_as("dialogstudio"), (json.dumps(STUDIO, indent=1).encode(),)),
    "own dialogues": Target("a.jsonl", read_dialogues_as("own"), (lines_of(OWN_TEXT, OWN),)),
    "own dialogues in a list": Target("a.json", read_dialogues, (json.dumps([OWN_TEXT, OWN], indent=1).encode(),)),
    "own dialogues in a table": Target("a.csv", read_dialogues_as("own"), (table_of(*OWN_ROWS),)),
    "ParlAI": Target("a.txt", read_dialogues_as("parlai"), PARLAI),
    "DailyDialog": Target("dialogues_text.txt", read_dialogues, (DAILY,), DAILY_BESIDE),
    "acts of DailyDialog": Target("dialogues_act.txt", read_dailydialog, (DAILY_BESIDE[0][1],), DAILY_TEXTS),
    "SAMSum": Target("a.json", read_dialogues_as("summaries"), (json.dumps([SAMSUM, SAMSUM], indent=1).encode(),)),
    "trees of OASST": Target("a.jsonl", read_dialogues_as("threads"), (lines_of(OASST_TREE, OASST_TREE),)),
    "messages of OASST": Target("a.jsonl", read_dialogues_as("threads"), (lines_of(OASST | {"replies": []}, REPLY),)),
    "ShareGPT": Target("a.json", read_dialogues, (json.dumps([{"conversations": SHARED}] * 2).encode(),)),
    "chat messages": Target("a.jsonl", read_dialogues_as("threads"), (lines_of({"messages": TURNS}, MESSAGES),)),
    "InstructDial": Target("a.jsonl", read_instructdial, (lines_of(INSTRUCTDIAL, INSTRUCTDIAL | {"output": "null"}),)),
}  # fmt: skip

# --- what all domains share

ROW = {"instruction": "Add.", "input": "1 + 2", "output": "3", "source": "x", "licence": "MIT", "history": []}


def read_rows(path: Path) -> None:
    for where, values in core_readers.read(path):
        Record.from_row(values, where).row()


def read_export(format: str) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        for row in exports.read_export(path, format):
            json.dumps(row, ensure_ascii=False).encode()

    return read


def read_lines(path: Path) -> None:
    list(line_files.lines(path))


CORE = {
    "rows as lines": Target("a.jsonl", read_rows, (lines_of(ROW, ROW),)),
    "rows in a list": Target("a.json", read_rows, (json.dumps([ROW, ROW], indent=1).encode(),)),
    "rows as CSV": Target("a.csv", read_rows, (b'instruction,input,output\r\n"Add, ""please"".","1\n+ 2",3\r\n',)),
    "rows as TSV": Target("a.tsv", read_rows, (b'instruction\tinput\noutput\t"a\n',)),
    "rows as Parquet": Target("a.parquet", read_rows, (parquet_of(ROW | {"history": ["x"]}),)),
    "messages": Target("a.jsonl", read_export("messages"), (lines_of(MESSAGES, MESSAGES | {"row": ROW}),)),
    "alpaca": Target("a.json", read_export("alpaca"), (json.dumps([ROW, ROW | {"row": {"id": "1"}}]).encode(),)),
    "sharegpt": Target("a.json", read_export("sharegpt"), (json.dumps([{"conversations": SHARED}]).encode(),)),
    "lines": Target("a.txt", read_lines, (b"one\n\ntwo\r\n",)),
}  # fmt: skip

GROUPS = {
    "uie": UIE,
    "absa": ABSA,
    "arithmetic": ARITHMETIC,
    "pix2pix": PIX2PIX,
    "dialogue": DIALOGUE,
    "core": CORE,
}
TARGETS = {f"{group}: {name}": target for group, targets in GROUPS.items() for name, target in targets.items()}


def fuzz(target: Target, folder: Path, examples: int) -> None:
    for name, content in target.beside:
        (folder / name).write_bytes(content)
    path = folder / target.file
    path.write_bytes(target.valid[0])
    target.read(path)  # imports once what the reader imports where it is used

    @fuzzed(mutated(target.valid), examples)
    def reads(content: bytes) -> None:
        path.write_bytes(content)
        reads_or_refuses(lambda: target.read(path))

    reads()


@pytest.mark.parametrize("name", TARGETS)
def test_the_examples_that_are_changed_are_valid(tmp_path: Path, name: str) -> None:
    target = TARGETS[name]
    for other, content in target.beside:
        (tmp_path / other).write_bytes(content)
    for content in target.valid:
        (tmp_path / target.file).write_bytes(content)
        target.read(tmp_path / target.file)


@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, name: str) -> None:
    fuzz(TARGETS[name], tmp_path, QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_thousands_of_damaged_files_are_read_or_refused(tmp_path: Path, name: str) -> None:
    fuzz(TARGETS[name], tmp_path, SLOW)
