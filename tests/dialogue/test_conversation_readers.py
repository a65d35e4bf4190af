"""Conversations in their published forms: ParlAI, DailyDialog, SAMSum and DialogSum, OASST, ShareGPT, chat messages."""

import json
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data import corpora, readers
from instructzoo.dialogue.data.readers import parlai, summaries, threads
from instructzoo.dialogue.schema import Dialogue


def read(folder: Path, content: str | list[Any] | tuple[Any, ...], name: str) -> list[Dialogue]:
    """Read a text, a JSON list (list) or JSON Lines (tuple), whose format is detected."""
    path = folder / name
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    if isinstance(content, tuple):
        text = "".join(json.dumps(values) + "\n" for values in content)
    path.write_text(text, encoding="utf-8")
    return list(readers.read_file(path))


def said(dialogue: Dialogue) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in dialogue.turns]


# --- ParlAI

NUMBERED = (
    "1 your persona: i like jazz.\n2 your persona: i sing.\n3 partner's persona: i swim.\n"
    "4 hello !\thi , who are you ?\t\tno|yes|hi , who are you ?\n5 ann .\tnice .|good .\n"
    "1 __SILENCE__\tgood morning\n2 bye\n"
)


def test_numbered_lines_of_parlai(tmp_path: Path) -> None:
    first, second = read(tmp_path, NUMBERED, "train.txt")
    assert said(first) == [
        ("user", "hello !"),
        ("system", "hi , who are you ?"),
        ("user", "ann ."),
        ("system", "nice ."),
    ]
    assert first.fields == {"persona": "i like jazz. i sing.", "partner's persona": "i swim."}
    assert first.remarks == (parlai.SEVERAL_ANSWERS,)
    assert said(second) == [("system", "good morning"), ("user", "bye")]
    assert (second.fields, second.where) == ({}, f"{tmp_path}/train.txt:6")


def test_named_values_of_parlai(tmp_path: Path) -> None:
    lines = (
        "text:your persona: i sing.\\nhello !\tlabels:hi\n"
        "text:bye\tlabels:see you\tepisode_done:True\ntext:yes ?\teval_labels:no\tepisode_done:True\n"
    )
    first, second = read(tmp_path, lines, "train.txt")
    assert said(first) == [("user", "hello !"), ("system", "hi"), ("user", "bye"), ("system", "see you")]
    assert first.fields == {"persona": "i sing."}
    assert said(second) == [("user", "yes ?"), ("system", "no")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NUMBERED + "4 a\tb\n", "train.txt:8: the number 4; expected 3, or 1"),
        (NUMBERED + "hello\tb\n", "train.txt:8: found hello"),
        ("1 your persona: i sing.\n1 hello\tb\n", "train.txt:1: a dialogue without turns"),
        ("text:a\tlabels:b\ttext:c\n", "train.txt:1: found text:c"),
        ("text:a\tlabels:b\tyes\n", "train.txt:1: found yes"),
    ],
)
def test_a_malformed_line_of_parlai_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ZooError, match=message):
        read(tmp_path, text, "train.txt")


# --- DailyDialog


def daily(folder: Path, **beside: str) -> list[Dialogue]:
    for kind, text in beside.items():
        (folder / f"dialogues_{kind}.txt").write_text(text)
    return read(
        folder, "Hi , Ann . __eou__ Hello ! __eou__ Bye __eou__\nGo ! __eou__ No . __eou__\n", "dialogues_text.txt"
    )


def test_acts_emotions_and_topics_stand_in_files_beside(tmp_path: Path) -> None:
    first, second = daily(tmp_path, act="1 2 3\n3 4\n", emotion="0 4 0\n1 5\n", topic="1\n10\n")
    assert said(first) == [("A", "Hi , Ann ."), ("B", "Hello !"), ("A", "Bye")]
    assert [turn.acts for turn in first.turns] == [("inform",), ("question",), ("directive",)]
    assert [turn.labels["emotion"] for turn in second.turns] == ["anger", "sadness"]
    assert [dialogue.labels["topic"] for dialogue in (first, second)] == ["ordinary life", "finance"]


def test_without_files_beside_nothing_is_annotated(tmp_path: Path) -> None:
    first, _ = daily(tmp_path)
    assert first.turns[0].acts is None and not first.turns[0].labels and not first.labels


def test_a_part_of_dailydialog_has_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "dialogues_act_test.txt").write_text("4\n")
    (dialogue,) = read(tmp_path, "I promise . __eou__\n", "dialogues_test.txt")
    assert dialogue.turns[0].acts == ("commissive",)


def test_a_folder_of_own_files_may_hold_annotations_beside_their_texts(tmp_path: Path) -> None:
    daily(tmp_path, act="1 2 3\n3 4\n")
    (tmp_path / "test").mkdir()
    (tmp_path / "intent_label.txt").write_text("play_music\n")
    for name, text in (("seq.in", "play jazz\n"), ("seq.out", "O B-genre\n"), ("label", "play_music\n")):
        (tmp_path / "test" / name).write_text(text)
    files = corpora.own_files(str(tmp_path), only_source=True)
    assert files == {"train": [tmp_path / "dialogues_text.txt"], "test": [tmp_path / "test" / "seq.in"]}


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ({"act": "1 2\n3 4\n"}, "dialogues_act.txt:1: 2 numbers; expected 3"),
        ({"act": "1 2 3\n3 9\n"}, "dialogues_act.txt:2: found 9; expected numbers from 1 to 4"),
        ({"emotion": "0 0 0\n"}, "dialogues_emotion.txt: 1 lines; expected 2"),
    ],
)
def test_annotations_that_do_not_fit_are_errors(tmp_path: Path, beside: dict[str, str], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        daily(tmp_path, **beside)


def test_a_turn_of_dailydialog_without_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"dialogues_text\.txt:1: a turn without text"):
        read(tmp_path, "Hi __eou__ __eou__ Bye __eou__\n", "dialogues_text.txt")


# --- SAMSum and DialogSum


def test_samsum_names_its_speakers(tmp_path: Path) -> None:
    text = "Ann: Are you in?\r\nAnn: <file_photo>\r\nat 12:30?\r\nBo B.: Soon: wait!\r\nAnn:\r\n"
    (dialogue,) = read(tmp_path, [{"id": "1", "dialogue": text, "summary": "Bo will be in."}], "train.json")
    assert said(dialogue) == [("Ann", "Are you in?"), ("Ann", "<file_photo> at 12:30?"), ("Bo B.", "Soon: wait!")]
    assert dialogue.fields == {"summary": "Bo will be in."}


def test_dialogsum_has_topics_and_may_have_several_summaries(tmp_path: Path) -> None:
    text = "#Person1#: Are you in?\n#Person2#: Soon!"
    rows = (
        {"fname": "a", "dialogue": text, "summary": "#Person2# comes.", "topic": "meeting"},
        {"fname": "b", "dialogue": text, "summary1": "One.", "summary2": "Two.", "topic1": "waiting"},
    )
    first, second = read(tmp_path, rows, "test.jsonl")
    assert said(first) == [("Person1", "Are you in?"), ("Person2", "Soon!")]
    assert (first.labels, first.remarks) == ({"topic": "meeting"}, ())
    assert (second.fields, second.remarks) == ({"summary": "One."}, (summaries.SEVERAL_SUMMARIES,))
    assert second.labels == {"topic": "waiting"}


def test_dialogues_without_words_are_left_out_and_counted(tmp_path: Path) -> None:
    fine, empty = {"dialogue": "Ann: Hi", "summary": "x"}, {"dialogue": " ", "summary": "x"}
    dialogues = read(tmp_path, [fine, empty, empty, fine, empty], "train.json")
    assert [len(dialogue.remarks) for dialogue in dialogues] == [0, 3]
    with pytest.raises(ZooError, match="no row is left: 1 dialogues without words"):
        read(tmp_path, [empty], "train.json")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dialogue": "Hi\nAnn: Hello", "summary": "x"}, "object 2: found Hi; expected a line that begins with the"),
        ({"dialogue": "Ann: ", "summary": "x"}, "object 2: a dialogue without turns"),
        ({"dialogue": "Ann: Hi"}, 'object 2: .*"summary1"'),
        ({"summary": "x"}, 'object 2: .*"dialogue"'),
    ],
)
def test_a_malformed_dialogue_with_summary_is_an_error(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        read(tmp_path, [{"dialogue": "Ann: Hi", "summary": "x"}, values], "train.json")


# --- threads


def message(name: str, text: str, *replies: dict[str, Any], **values: Any) -> dict[str, Any]:
    role = "prompter" if name.count(".") % 2 == 0 else "assistant"
    return {"message_id": name, "text": text, "role": role, "replies": list(replies), **values}


TREE = message(
    "1",
    "Hi",
    message("1.1", "Bad", message("1.1.1", "Why?"), rank=1),
    message("1.2", "Hello", message("1.2.1", "Bye"), message("1.2.2", "And?"), rank=0),
    message("1.3", "Spam", rank=-1, deleted=True),
)


def flat(tree: dict[str, Any], parent: str | None = None) -> list[dict[str, Any]]:
    own = {key: value for key, value in tree.items() if key != "replies"} | {"parent_id": parent}
    return [own, *(one for reply in tree["replies"] for one in flat(reply, tree["message_id"]))]


def test_a_tree_gives_the_thread_of_its_best_replies(tmp_path: Path) -> None:
    trees = ({"message_tree_id": "1", "tree_state": "ready_for_export", "prompt": TREE},)
    (dialogue,) = read(tmp_path, trees, "trees.jsonl")
    assert said(dialogue) == [("user", "Hi"), ("system", "Hello"), ("user", "Bye")]
    assert dialogue.remarks == (threads.OTHER_REPLIES,) * 2


def test_messages_a_line_give_the_same_threads(tmp_path: Path) -> None:
    (of_tree,) = read(tmp_path, ({"message_tree_id": "1", "prompt": TREE},), "trees.jsonl")
    (of_messages,) = read(tmp_path, tuple(flat(TREE)), "messages.jsonl")
    assert said(of_messages) == said(of_tree) and of_messages.remarks == of_tree.remarks


def test_messages_that_form_no_tree_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r'messages\.jsonl:2: the message "1" twice'):
        read(tmp_path, (*flat(TREE)[:1], *flat(TREE)[:1]), "messages.jsonl")
    with pytest.raises(ZooError, match=r'messages\.jsonl:2: the parent "7"'):
        read(tmp_path, (flat(TREE)[0], flat(TREE)[1] | {"parent_id": "7"}), "messages.jsonl")


def test_sharegpt_and_chat_messages(tmp_path: Path) -> None:
    shared = {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}
    parts = [{"type": "text", "text": "Hi"}]
    chat = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": parts}]
    chat += [{"role": "assistant", "content": "Hello"}]
    expected = [("user", "Hi"), ("system", "Hello")]
    assert said(read(tmp_path, [shared], "a.json")[0]) == expected
    (one,) = read(tmp_path, ({"messages": chat},), "b.jsonl")
    assert said(one) == expected and one.fields == {"instruction": "Be kind."}
    (whole_file,) = read(tmp_path, chat, "c.json")
    assert said(whole_file) == expected and whole_file.fields == {"instruction": "Be kind."}


def test_messages_and_conversations_without_text_are_left_out_and_counted(tmp_path: Path) -> None:
    human, gpt, empty = (
        {"from": "human", "value": "Hi"},
        {"from": "gpt", "value": "Hello"},
        {"from": "gpt", "value": " "},
    )
    rows = [{"conversations": [human, empty, gpt]}, {"conversations": [empty]}]
    (dialogue,) = read(tmp_path, rows, "a.json")
    assert said(dialogue) == [("user", "Hi"), ("system", "Hello")]
    assert dialogue.remarks == (threads.NO_TEXT, threads.NO_WORDS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"conversations": [{"from": "tool", "value": "1"}]},
            "a.jsonl:2, message 1: the role 'tool'; expected one of user",
        ),
        ({"conversations": [{"from": "human"}]}, 'a.jsonl:2, message 1: .*"value"'),
        ({"conversations": {}}, 'a.jsonl:2: .*"conversations"'),
        ({"messages": [3]}, "a.jsonl:2, message 1: the role None"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, 'a.jsonl:2, message 1: .*"content"'),
        ({"message_tree_id": "1", "prompt": message("1", "Hi") | {"replies": "x"}}, 'a.jsonl:2: found x; .*"replies"'),
    ],
)
def test_a_malformed_conversation_is_an_error(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        read(tmp_path, ({"conversations": [{"from": "human", "value": "Hi"}]}, values), "a.jsonl")


def test_rows_that_the_zoo_exported_are_no_conversations(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        json.dumps({"messages": [{"role": "user", "content": "Hi"}], "row": {"task": "summarization"}}) + "\n"
    )
    assert readers.format_of(path) is None


@pytest.mark.realdata
def test_threads_of_real_files(realdata: Path) -> None:
    folder = realdata / "instructions"
    trees, messages = (
        list(readers.read_file(folder / "oasst" / f"en_100_{kind}.jsonl")) for kind in ("tree", "message")
    )
    assert len(trees) == 100 and [said(dialogue) for dialogue in trees] == [said(dialogue) for dialogue in messages]
    assert len(list(readers.read_file(folder / "sharegpt" / "original_example.json"))) == 5
    assert len(list(readers.read_file(folder / "fastchat" / "dummy_conversation.json"))) == 500
    assert readers.format_of(folder / "alpaca" / "alpaca_en_demo.json") is None
