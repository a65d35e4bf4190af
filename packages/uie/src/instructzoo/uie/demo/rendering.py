"""Renders an extraction as HTML: the marked text, the relation graph, a card for every event, the JSON to save."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from instructzoo.core.record import Invalid
from instructzoo.core.ui.highlighting import Span, escape_text, highlight, label_hues
from instructzoo.uie import schema
from instructzoo.uie.answers import of_extraction
from instructzoo.uie.demo import relation_graph
from instructzoo.uie.extraction import Extraction, Reply, Schema
from instructzoo.uie.schema import UNKNOWN, Annotation, Event, Mention

TASK_NAMES = {"ner": "Entities", "re": "Relations", "ee": "Events"}


def extraction_html(
    extraction: Extraction, labels: Schema, unconstrained: Extraction | None = None, hint: str = ""
) -> str:
    """HTML of everything that was extracted from a text.

    Args:
        extraction: The result.
        labels: The labels that were offered.
        unconstrained: The result without constrained decoding, whose answers are shown for comparison.
        hint: A line on how reliable the result is.
    """
    annotation = extraction.annotation
    colours = label_hues((*labels.entities, *labels.events, *_labels_in(annotation)))
    sections = [*_notes(extraction, labels, hint), _marked_text(extraction, colours)]
    facts = list[str]()
    if graph := relation_graph.graph_html(annotation.relations, annotation.entities, colours):
        facts.append(_section("Relations", graph))
    if annotation.events:
        cards = "".join(event_html(e, labels, colours) for e in annotation.events)
        facts.append(_section("Events", f'<div class="uie-cards">{cards}</div>'))
    sections.append(f'<div class="uie-facts">{"".join(facts)}</div>' if facts else "")
    sections += [_json_html(extraction), outputs_html(extraction, unconstrained)]
    return f'<div class="zoo-card">{"".join(sections)}</div>'


def _section(title: str, html: str) -> str:
    return f'<section><p class="uie-part">{escape(title)}</p>{html}</section>'


def _notes(extraction: Extraction, labels: Schema, hint: str) -> Iterator[str]:
    """Lines above the marked text; they name each kind of labels that nothing was found for."""
    if hint:
        yield f'<p class="zoo-hint">{escape_text(hint)}</p>'
    annotation = extraction.annotation
    kinds = {
        "entities": (labels.entities, annotation.entities),
        "relations": (labels.relations, annotation.relations),
        "events": (labels.events, annotation.events),
    }
    without = [kind for kind, (offered, found) in kinds.items() if offered and not found]
    if not schema.count(annotation):
        yield '<p class="zoo-hint">Nothing found for these labels.</p>'
    elif without:
        yield f'<p class="zoo-hint">No {" or ".join(without)} found for these labels.</p>'
    for note in extraction.notes:
        yield f'<p class="zoo-hint uie-note">⚠ {escape_text(note[:1].upper() + note[1:])}.</p>'


def _marked_text(extraction: Extraction, colours: Mapping[str, int]) -> str:
    """The text with entities and triggers marked."""
    spans = [Span(m.start, m.end, m.type) for m in extraction.annotation.entities if m.start != UNKNOWN]
    triggers = [(e.type, e.trigger) for e in extraction.annotation.events]
    spans += [Span(m.start, m.end, type, "trigger") for type, m in triggers if m.start != UNKNOWN]
    return highlight(extraction.text, list(dict.fromkeys(spans)), colours)


def _labels_in(annotation: Annotation) -> Iterator[str]:
    """Labels of the answers, which may not have been offered; they get a colour all the same."""
    yield from (m.type for m in annotation.entities)
    yield from (e.type for e in annotation.events)


def event_html(event: Event, labels: Schema, colours: Mapping[str, int]) -> str:
    """HTML of the card of one event: its type, its trigger, its arguments, then the roles without an argument."""
    rows = [(a.type, f"<bdi>{escape_text(a.text)}</bdi>{_not_in_text_mark(a)}") for a in event.arguments]
    filled = {a.type for a in event.arguments}
    rows += [
        (role, '<span aria-label="nobody">–</span>') for role in labels.events.get(event.type, ()) if role not in filled
    ]
    lines = "".join(f"<dt>{escape_text(role)}</dt><dd>{value}</dd>" for role, value in rows)
    trigger = f"<p>“<bdi>{escape_text(event.trigger.text)}</bdi>”{_not_in_text_mark(event.trigger)}</p>"
    style = f'style="--h: {colours.get(event.type, 0)}"'
    return f'<div class="uie-event" {style}><h4>{escape_text(event.type)}</h4>{trigger}<dl>{lines}</dl></div>'


def _not_in_text_mark(mention: Mention) -> str:
    return ' <span class="zoo-wrong">(not in the text)</span>' if mention.start == UNKNOWN else ""


def _json_html(extraction: Extraction) -> str:
    """The JSON with one item per line, and a link that saves it as a data URL: no file is made for it."""
    record = of_extraction(extraction).to_dict()
    text = "{\n" + ",\n".join(f"  {json.dumps(key)}: {_json_lines(value)}" for key, value in record.items()) + "\n}\n"
    address = f"data:application/json;base64,{base64.b64encode(_utf8(text)).decode()}"
    save = f'<p class="zoo-hint"><a class="uie-save" download="extraction.json" href="{address}">Save the JSON</a></p>'
    shown = f'<pre class="uie-out">{escape_text(text)}</pre>'
    return f'{save}<details class="uie-json"><summary>As JSON</summary>{shown}</details>'


def _json_lines(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(f"    {json.dumps(item, ensure_ascii=False)}" for item in value) + "\n  ]"


def _utf8(text: str) -> bytes:
    """Half of a surrogate pair, which a browser may send, has no UTF-8: it becomes a question mark."""
    return text.encode("utf-8", "replace")


def outputs_html(extraction: Extraction, unconstrained: Extraction | None) -> str:
    """HTML of the table of what the model wrote, with the answers without constrained decoding beside it."""
    other_replies = iter(unconstrained.replies) if unconstrained else iter(())
    rows = []
    names = ["Task", "Sentence", "Answer", *(["Without the rule"] if unconstrained else [])]
    for reply in extraction.replies:
        cells = [escape_text(TASK_NAMES[reply.task]), escape_text(_truncate(reply.sentence)), _output_html(reply)]
        other = next(other_replies, None)
        if unconstrained:
            same = other is not None and other.output == reply.output
            cells.append("the same" if same or other is None else _output_html(other))
        named_cells = zip(names, cells, strict=True)  # on a phone each cell stands below its name
        rows.append("<tr>" + "".join(f'<td data-name="{name}">{cell}</td>' for name, cell in named_cells) + "</tr>")
    header = "<tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr>"
    table = f'<table class="zoo-table wide uie-replies">{header}{"".join(rows)}</table>'
    attribute = " open" if unconstrained else ""
    return f'<details class="uie-output"{attribute}><summary>What the model wrote</summary>{table}</details>'


def _output_html(reply: Reply) -> str:
    reason = reply.parsed.reason if isinstance(reply.parsed, Invalid) else ""
    error = f' <span class="zoo-wrong">({escape_text(reason)})</span>' if reason else ""
    return f"<bdi>{escape_text(reply.output)}</bdi>{error}"


def _truncate(text: str, max_characters: int = 60) -> str:
    return text[:max_characters] + ("…" if len(text) > max_characters else "")
