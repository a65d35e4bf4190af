"""Draws relations as a graph: an SVG with a box for every name and an arrow for every relation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from instructzoo.core.ui.highlighting import escape_text
from instructzoo.uie.demo.graph_layout import BOX_HEIGHT, Arrow, Box, Node, lay_out, node_of, shorten
from instructzoo.uie.schema import Mention, Relation

MAX_NODES = 24
"""Names that one graph shows; relations that are left out are counted below it."""
MIN_SCALE = 0.75
"""How far a graph shrinks on a narrow page, where its letters are still read; beyond that it scrolls in its own box."""

_ARROW_HEAD = (
    '<defs><marker id="uie-tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
    'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="tip" d="M 0 0.5 L 10 5 L 0 9.5 z"/>'
    "</marker></defs>"
)


def graph_html(relations: Sequence[Relation], entities: Sequence[Mention], colours: Mapping[str, int]) -> str:
    """Draw relations as a graph. Mentions of one name share one box, with the type of the first of them.

    Args:
        relations: The relations to draw.
        entities: Entities, which give the names their types.
        colours: The hue of each type, in degrees.

    Returns:
        HTML with an SVG, a list that takes its place on a phone, and a hint where relations are left out; "" where
        there is no relation.
    """
    merged = merge_mentions_by_name(relations)
    shown = limit_nodes(merged)
    if not shown:
        return ""
    type_by_name = {m.text: m.type for m in reversed(entities)}
    types = {node_of(m): type_by_name.get(m.text, "") for r in shown for m in (r.head, r.tail)}
    graph = lay_out(shown, types)
    elements = [_ARROW_HEAD, *(_line(a) for a in graph.arrows), *(_box(b, types, colours) for b in graph.boxes)]
    elements += [_label(a) for a in graph.arrows]
    width, height = f"{graph.width:.0f}", f"{graph.height:.0f}"
    description = escape_text("; ".join(f"{r.head.text} - {r.type} - {r.tail.text}" for r in shown))
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    style = f'style="width: 100%; max-width: {width}px; min-width: {MIN_SCALE * graph.width:.0f}px"'
    svg = f'<svg {size} {style} role="img" aria-label="{description}">{"".join(elements)}</svg>'
    omitted = len(merged) - len(shown)
    hint = f'<p class="zoo-hint">{omitted} more in the JSON; the graph shows {MAX_NODES} names.</p>' if omitted else ""
    graph_box = f'<div class="uie-graph" tabindex="0" role="group" aria-label="Relations">{svg}</div>'
    return f'{graph_box}<ul class="uie-list">{"".join(map(_list_item, shown))}</ul>{hint}'


def merge_mentions_by_name(relations: Sequence[Relation]) -> list[Relation]:
    """Replace every mention by the first one of its name; relations that become equal become one."""
    first: dict[str, Mention] = {}
    merged = [
        Relation(r.type, first.setdefault(r.head.text, r.head), first.setdefault(r.tail.text, r.tail))
        for r in relations
    ]
    return list(dict.fromkeys(merged))


def limit_nodes(relations: Sequence[Relation]) -> list[Relation]:
    """The relations, in order, that together have at most MAX_NODES names."""
    nodes, selected = set[Node](), []
    for relation in relations:
        ends = {node_of(relation.head), node_of(relation.tail)}
        if len(nodes | ends) <= MAX_NODES:
            nodes |= ends
            selected.append(relation)
    return selected


def _list_item(relation: Relation) -> str:
    head, type, tail = map(escape_text, (relation.head.text, relation.type, relation.tail.text))
    return f"<li><bdi><b>{head}</b></bdi> <span>{type} →</span> <bdi><b>{tail}</b></bdi></li>"


def _line(arrow: Arrow) -> str:
    marker = "marker-start" if arrow.reversed else "marker-end"
    return f'<path class="edge" d="{arrow.path}" {marker}="url(#uie-tip)"/>'


def _box(box: Box, types: Mapping[Node, str], colours: Mapping[str, int]) -> str:
    """A rounded box with the name, and below it its type where the model gave one."""
    type, text = types.get(box.node, ""), box.node[2]
    center, middle = box.left + box.width / 2, box.top + box.height / 2
    rectangle = f'x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" rx="{BOX_HEIGHT / 4}"'
    lines = f'<text x="{center}" y="{middle - 2 if type else middle + 4.5}">{escape_text(shorten(text))}</text>'
    if type:
        lines += f'<text class="type" x="{center}" y="{middle + 13}">{escape_text(shorten(type))}</text>'
    attributes = f'class="node" style="--h: {colours.get(type, 0)}"' if type else 'class="node bare"'
    return f"<g {attributes}><title>{escape_text(text)}</title><rect {rectangle}/>{lines}</g>"


def _label(arrow: Arrow) -> str:
    position = f'x="{arrow.label_left}" y="{arrow.label_middle - 5}"'
    text = f'<text class="name" {position}>{escape_text(shorten(arrow.label))}</text>'
    return f"<g><title>{escape_text(arrow.label)}</title>{text}</g>"
