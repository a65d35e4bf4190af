"""Relations as a graph: an SVG with a box for every name and an arrow for every relation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from instructzoo.core.ui.highlighting import shown
from instructzoo.uie.demo.graph_layout import BOX, Arrow, Box, Node, arranged, node, shortened
from instructzoo.uie.schema import Mention, Relation

MAX_NODES = 24
"""Names that one picture shows; relations that are left out are counted beside it."""

_TIP = (
    '<defs><marker id="uie-tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
    'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="tip" d="M 0 0.5 L 10 5 L 0 9.5 z"/>'
    "</marker></defs>"
)


def drawn(relations: Sequence[Relation], entities: Sequence[Mention], colours: Mapping[str, int]) -> str:
    """HTML of the graph; "" where there is no relation. Mentions of one name are one box, typed as the first."""
    merged = by_name(relations)
    kept = fitting(merged)
    if not kept:
        return ""
    named = {m.text: m.type for m in reversed(entities)}
    types = {node(m): named.get(m.text, "") for r in kept for m in (r.head, r.tail)}
    picture = arranged(kept, types)
    parts = [_TIP, *(_line(a) for a in picture.arrows), *(_box(b, types, colours) for b in picture.boxes)]
    parts += [_name(a) for a in picture.arrows]
    wide, high = f"{picture.width:.0f}", f"{picture.height:.0f}"
    said = shown("; ".join(f"{r.head.text} - {r.type} - {r.tail.text}" for r in kept))
    size = f'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
    svg = f'<svg {size} role="img" aria-label="{said}">{"".join(parts)}</svg>'
    left = len(merged) - len(kept)
    more = f'<p class="zoo-hint">{left} more in the JSON; the picture holds {MAX_NODES} names.</p>' if left else ""
    return f'<div class="uie-graph">{svg}</div>{more}'


def by_name(relations: Sequence[Relation]) -> list[Relation]:
    """The relations with all mentions of one name as the first of them, those that become equal as one."""
    first: dict[str, Mention] = {}
    merged = [
        Relation(r.type, first.setdefault(r.head.text, r.head), first.setdefault(r.tail.text, r.tail))
        for r in relations
    ]
    return list(dict.fromkeys(merged))


def fitting(relations: Sequence[Relation]) -> list[Relation]:
    """The relations, in order, that together have MAX_NODES names at most."""
    nodes, kept = set[Node](), []
    for relation in relations:
        ends = {node(relation.head), node(relation.tail)}
        if len(nodes | ends) <= MAX_NODES:
            nodes |= ends
            kept.append(relation)
    return kept


def _line(arrow: Arrow) -> str:
    head = "marker-start" if arrow.backwards else "marker-end"
    return f'<path class="edge" d="{arrow.path}" {head}="url(#uie-tip)"/>'


def _box(box: Box, types: Mapping[Node, str], colours: Mapping[str, int]) -> str:
    """A rounded box with the mention, and below it its type where the model gave one."""
    type, text = types.get(box.node, ""), box.node[2]
    across, middle = box.left + box.width / 2, box.top + box.height / 2
    place = f'x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" rx="{BOX / 4}"'
    lines = f'<text x="{across}" y="{middle - 2 if type else middle + 4.5}">{shown(shortened(text))}</text>'
    if type:
        lines += f'<text class="type" x="{across}" y="{middle + 13}">{shown(shortened(type))}</text>'
    kind = f'class="node" style="--h: {colours.get(type, 0)}"' if type else 'class="node bare"'
    return f"<g {kind}><title>{shown(text)}</title><rect {place}/>{lines}</g>"


def _name(arrow: Arrow) -> str:
    text = f'<text class="name" x="{arrow.left}" y="{arrow.middle - 5}">{shown(shortened(arrow.name))}</text>'
    return f"<g><title>{shown(arrow.name)}</title>{text}</g>"
