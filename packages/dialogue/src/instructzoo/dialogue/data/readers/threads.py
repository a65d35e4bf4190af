"""Conversations with an assistant: threads of OASST, ShareGPT, and chat messages.

    {"message_tree_id": "1", "prompt": {"role": "prompter", "text": "Hi", "replies": [
        {"role": "assistant", "text": "Hello", "rank": 0, "replies": []}, ...]}}               OASST, a tree a line
    {"message_id": "1", "parent_id": null, "role": "prompter", "text": "Hi"}                   OASST, a message a line
    {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}   ShareGPT
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
    [{"role": "user", "content": "Hi"}, ...]                                                   one conversation a file

A tree of OASST gives the thread of the best replies: those that are ranked highest, or first where none is ranked;
other replies are left out with all that follows them, and counted, so that no two dialogues begin alike. Deleted
messages are no replies. A prompt of the system is fields["instruction"]. Messages without text are left out, and
counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core.data.json_objects import objects
from instructzoo.core.data.line_files import LeftOut, malformed
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data.readers.base import Beginning
from instructzoo.dialogue.data.readers.checks import checked_dialogue, list_of, text_of, with_words
from instructzoo.dialogue.schema import Dialogue, Turn

OTHER_REPLIES = "replies beside a better one, left out with all that follows them"
NO_TEXT = "messages without text, left out"
NO_WORDS = "conversations without words, left out"

ROLES = {
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "system", "gpt": "system", "chatgpt": "system", "bot": "system", "model": "system", "bing": "system",
    "bard": "system", "system": "instruction",
}  # fmt: skip
"""Roles in these files, with what they stand for; an instruction is no turn."""

Message = tuple[str, str, str]
"""Role, text and place."""


def matches(beginning: Beginning) -> bool:
    """Whether the file begins with a conversation in one of these forms; rows that the zoo exported are none."""
    keys = set(beginning.object)
    if not keys and beginning.text[:1] in ("[", "{"):  # the first object is longer than the beginning
        return any(f'"{key}"' in beginning.text[:500] for key in ("message_tree_id", "conversations", "messages"))
    if "row" in keys or "instruction" in keys:
        return False
    return (
        bool(keys & {"message_tree_id", "conversations", "messages"})
        or {"message_id", "text"} <= keys
        or {
            "role",
            "content",
        }
        <= keys
    )


def read(path: Path) -> Iterator[Dialogue]:
    """Read the conversations of a file.

    Args:
        path: JSON Lines, or a JSON list.

    Returns:
        The dialogues, read as they are consumed; the messages of a file that has a message a line are read at once.

    Raises:
        ZooError: With file:line for unknown roles and malformed messages; where a message of OASST stands twice or its
            parent is missing; where no conversation has words.
    """
    return with_words(_dialogues(path), path)


def _dialogues(path: Path) -> Iterator[Dialogue | LeftOut]:
    single: list[tuple[str, Mapping[str, Any]]] = []
    for where, values in objects(path):
        if "message_tree_id" in values and "prompt" in values:
            yield _thread(values["prompt"], {}, where)
        elif "conversations" in values:
            yield _conversation(_messages(values, "conversations", "from", "value", where), where)
        elif "messages" in values:
            yield _conversation(_messages(values, "messages", "role", "content", where), where)
        else:
            single.append((where, values))
    if single and "content" in single[0][1]:
        messages = [_message(values, "role", "content", where) for where, values in single]
        yield _conversation(messages, single[0][0])
    elif single:
        yield from _trees(single)


def _messages(values: Mapping[str, Any], key: str, role: str, text: str, where: str) -> list[Message]:
    given = enumerate(list_of(values, key, where), 1)
    return [_message(message, role, text, f"{where}, message {number}") for number, message in given]


def _message(values: Any, role_key: str, text_key: str, where: str) -> Message:
    content = values.get(text_key) if isinstance(values, dict) else None
    if isinstance(content, list) and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in content):
        return _role(values, role_key, where), " ".join(part["text"] for part in content), where
    return _role(values, role_key, where), text_of(values, text_key, where), where


def _role(values: Any, key: str, where: str) -> str:
    role = values.get(key) if isinstance(values, dict) else None
    if not isinstance(role, str) or role.lower() not in ROLES:
        raise ZooError(f"the role {role!r:.40}", f"one of {', '.join(ROLES)}", "leave the conversation out", where)
    return ROLES[role.lower()]


def _conversation(messages: Sequence[Message], where: str, remarks: Sequence[str] = ()) -> Dialogue | LeftOut:
    said = [(role, text.strip()) for role, text, _ in messages if text.strip()]
    turns = [Turn(role, text) for role, text in said if role != "instruction"]
    if not turns:
        return LeftOut(where, NO_WORDS)
    instruction = " ".join(text for role, text in said if role == "instruction")
    dialogue = checked_dialogue(turns, where, {"instruction": instruction})
    return replace(dialogue, remarks=(*remarks, *[NO_TEXT] * (len(messages) - len(said))))


def _trees(messages: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[Dialogue | LeftOut]:
    """The threads of messages whose replies name their parent."""
    places: dict[str, str] = {}
    replies: dict[str, list[Any]] = {}
    for where, message in messages:
        name, parent = text_of(message, "message_id", where), message.get("parent_id")
        if name in places:
            raise ZooError(f'the message "{shorten(name)}" twice', "each one once", "remove one", where)
        places[name] = where
        if parent is not None:
            replies.setdefault(str(parent), []).append(message)
    if missing := [parent for parent in replies if parent not in places]:
        where = next(where for where, message in messages if str(message.get("parent_id")) == missing[0])
        raise ZooError(f'the parent "{shorten(missing[0])}"', "a message of the file", "remove its replies", where)
    for where, message in messages:
        if message.get("parent_id") is None:
            yield _thread(message, replies, where)


def _thread(root: Any, replies: Mapping[str, Sequence[Any]], where: str) -> Dialogue | LeftOut:
    """The thread of the best replies. replies: by the id of a message, where a message does not hold them itself."""
    messages: list[Message] = []
    remarks: list[str] = []
    message = root
    while message is not None:
        messages.append(_message(message, "role", "text", where))
        own = message.get("replies") or replies.get(str(message.get("message_id")), ())
        if not isinstance(own, Sequence) or not all(isinstance(reply, dict) for reply in own):
            raise malformed(own, 'a list of messages under "replies"', where)
        kept = [reply for reply in own if not reply.get("deleted")]
        remarks += [OTHER_REPLIES] * (len(kept) - 1)
        message = min(kept, key=_rank, default=None)
    return _conversation(messages, where, remarks)


def _rank(reply: Mapping[str, Any]) -> float:
    rank = reply.get("rank")
    return rank if isinstance(rank, int | float) else float("inf")
