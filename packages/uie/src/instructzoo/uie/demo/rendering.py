"""What was found in a text as HTML: the marked text, the graph, a card for every event, the JSON and its download."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from instructzoo.core.record import Invalid
from instructzoo.core.ui.highlighting import Span, highlighted, hues, shown
from instructzoo.uie import schema
from instructzoo.uie.demo import relation_graph
from instructzoo.uie.extraction import Extraction, Reply, Schema
from instructzoo.uie.schema import UNKNOWN, Annotation, Event, Mention

TASKS = {"ner": "Entities", "re": "Relations", "ee": "Events"}


def record(found: Extraction) -> dict[str, Any]:
    """What is found in a text as an object, in the form that `sources: [own]` reads and trains on again.

    What has no place in the text stands apart under `unplaced`, and what is amiss under `notes`, where there is any.
    """
    one, lost = found.annotation, list[dict[str, Any]]()
    made: dict[str, Any] = {"text": found.text, "entities": [], "relations": [], "events": []}
    for m in one.entities:
        (made["entities"] if _placed(m) else lost).append({"type": m.type, **_span(m)})
    for r in one.relations:
        sides = {"type": r.type, "head": _span(r.head), "tail": _span(r.tail)}
        (made["relations"] if _placed(r.head, r.tail) else lost).append(sides)
    for e in one.events:
        kept = [a for a in e.arguments if _placed(a) or not _placed(e.trigger)]
        arguments = [{"role": a.type, **_span(a)} for a in kept]
        event = {"type": e.type, "trigger": _span(e.trigger), "arguments": arguments}
        (made["events"] if _placed(e.trigger) else lost).append(event)
        lost += [{"event": e.type, "role": a.type, **_span(a)} for a in e.arguments if a not in kept]
    return made | ({"unplaced": lost} if lost else {}) | ({"notes": list(found.notes)} if found.notes else {})


def _placed(*mentions: Mention) -> bool:
    return all(m.start != UNKNOWN for m in mentions)


def _span(mention: Mention) -> dict[str, Any]:
    return {"text": mention.text} | ({"start": mention.start, "end": mention.end} if _placed(mention) else {})


def result(found: Extraction, asked: Schema, free: Extraction | None = None, hint: str = "") -> str:
    """HTML of all that was found. free: what the model finds without the schema's constraint, to be shown beside.

    hint: a line on what is to be expected of this answer.
    """
    colours = hues((*asked.entities, *asked.events, *_others(found.annotation)))
    parts = [*_notes(found, hint), _text(found, colours)]
    if relations := relation_graph.drawn(found.annotation.relations, found.annotation.entities, colours):
        parts.append(_part("Relations", relations))
    if found.annotation.events:
        cards = "".join(event(e, asked, colours) for e in found.annotation.events)
        parts.append(_part("Events", f'<div class="uie-cards">{cards}</div>'))
    parts += [_part("JSON", _json(found)), written(found, free)]
    return f'<div class="zoo-card">{"".join(parts)}</div>'


def _part(title: str, html: str) -> str:
    return f'<p class="uie-part">{escape(title)}</p>{html}'


def _notes(found: Extraction, hint: str) -> Iterator[str]:
    if hint:
        yield f'<p class="zoo-hint">{shown(hint)}</p>'
    if not schema.count(found.annotation):
        yield '<p class="zoo-hint">Nothing found for these labels.</p>'
    for note in found.notes:
        yield f'<p class="zoo-hint uie-note">⚠ {shown(note[:1].upper() + note[1:])}.</p>'


def _text(found: Extraction, colours: Mapping[str, int]) -> str:
    """The text with entities and triggers marked."""
    spans = [Span(m.start, m.end, m.type) for m in found.annotation.entities if m.start != UNKNOWN]
    triggers = [(e.type, e.trigger) for e in found.annotation.events]
    spans += [Span(m.start, m.end, type, "trigger") for type, m in triggers if m.start != UNKNOWN]
    return highlighted(found.text, list(dict.fromkeys(spans)), colours)


def _others(found: Annotation) -> Iterator[str]:
    """Labels that were not offered; they are shown all the same."""
    yield from (m.type for m in found.entities)
    yield from (e.type for e in found.events)


def event(found: Event, asked: Schema, colours: Mapping[str, int]) -> str:
    """HTML of one event: its type, its trigger, who takes part; then the roles that nobody has."""
    rows = [(a.type, f"<bdi>{shown(a.text)}</bdi>{_lost(a)}") for a in found.arguments]
    filled = {a.type for a in found.arguments}
    rows += [
        (role, '<span aria-label="nobody">–</span>') for role in asked.events.get(found.type, ()) if role not in filled
    ]
    lines = "".join(f"<dt>{shown(role)}</dt><dd>{value}</dd>" for role, value in rows)
    trigger = f"<p>“<bdi>{shown(found.trigger.text)}</bdi>”{_lost(found.trigger)}</p>"
    style = f'style="--h: {colours.get(found.type, 0)}"'
    return f'<div class="uie-event" {style}><h4>{shown(found.type)}</h4>{trigger}<dl>{lines}</dl></div>'


def _lost(mention: Mention) -> str:
    return ' <span class="zoo-wrong">(not in the text)</span>' if mention.start == UNKNOWN else ""


def _json(found: Extraction) -> str:
    """The JSON, an item a line, and a link that saves it: the page holds it already, no file is made for it."""
    made = record(found)
    text = "{\n" + ",\n".join(f"  {json.dumps(key)}: {_lines(value)}" for key, value in made.items()) + "\n}\n"
    address = f"data:application/json;base64,{base64.b64encode(_utf8(text)).decode()}"
    save = f'<p class="zoo-hint"><a class="uie-save" download="extraction.json" href="{address}">Save the JSON</a></p>'
    return f'<pre class="uie-out">{shown(text)}</pre>{save}'


def _lines(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(f"    {json.dumps(each, ensure_ascii=False)}" for each in value) + "\n  ]"


def _utf8(text: str) -> bytes:
    """Lone halves of a character pair, which a browser may send, have no UTF-8: they become question marks."""
    return text.encode("utf-8", "replace")


def written(found: Extraction, free: Extraction | None) -> str:
    """HTML of what the model wrote, answer for answer, and beside it what it writes when nothing holds it."""
    others = iter(free.replies) if free else iter(())
    rows = []
    for reply in found.replies:
        cells = [shown(TASKS[reply.task]), shown(_cut(reply.sentence)), _said(reply)]
        other = next(others, None)
        if free:
            same = other is not None and other.written == reply.written
            cells.append("the same" if same or other is None else _said(other))
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    names = ["Asked for", "Sentence", "Answer", *(["Without the constraint"] if free else [])]
    header = "<tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr>"
    table = f'<div class="zoo-scroll"><table class="zoo-table wide">{header}{"".join(rows)}</table></div>'
    return (
        f'<details class="uie-said"{" open" if free else ""}><summary>What the model wrote</summary>{table}</details>'
    )


def _said(reply: Reply) -> str:
    fault = f' <span class="zoo-wrong">({shown(reply.meant.reason)})</span>' if isinstance(reply.meant, Invalid) else ""
    return f"<bdi>{shown(reply.written)}</bdi>{fault}"


def _cut(text: str, most: int = 60) -> str:
    return text[:most] + ("…" if len(text) > most else "")
