"""Where boxes, arrows and names of a graph of mentions stand, so that no name covers another, nor an arrow a box.

Each connected part stands by itself. Its mentions form columns by their distance from one of them, so that an arrow
joins neighbouring columns or runs out of a column and back into it. Right of a column there is, from left to right,

    a lane for every arrow within the column, with its name; room where arrows bend; room for the names of arrows

and every arrow between columns runs level into a port of its own on the right-hand box: there its name stands.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from instructzoo.uie.schema import UNKNOWN, Mention, Relation

BOX, PORT, SPACE = 40.0, 18.0, 26.0
"""Least height of a box, distance of two ports, and free height below a box; all lengths here are in pixels."""
BEND, MARGIN, LETTER = 46.0, 10.0, 7.7
"""Width in which arrows bend, margin of the picture, and width of a letter."""
LONGEST = 24
"""Letters of a name that are drawn."""

Node = tuple[int, int, str]
"""Identity of a mention: its place and its text; a mention that the text does not hold has only the latter."""
Pair = tuple[Node, Node]
Exit = tuple[Pair | None, int]
"""A place on the right of a box: where arrows of the next column begin (None, 0) or end (None, 1), or a lane's end."""


@dataclass(frozen=True, slots=True)
class Box:
    """Lengths in pixels from the left upper corner of the picture."""

    node: Node
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """path: an SVG path; backwards: its head is at the beginning. The name starts at `left`, centred on `middle`."""

    pair: Pair
    name: str
    path: str
    backwards: bool
    left: float
    middle: float


@dataclass
class Picture:
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def node(mention: Mention) -> Node:
    return (mention.start, mention.end, mention.text)


def shortened(text: str) -> str:
    """A name as it is drawn, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def width(text: str) -> float:
    """How wide a name is drawn, rather too wide than too narrow."""
    wide = sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in shortened(text)
    )
    return LETTER * wide


def arranged(relations: Sequence[Relation], types: Mapping[Node, str]) -> Picture:
    """The whole picture. Relations of one pair in one direction share an arrow; types: written below the mentions."""
    names: dict[Pair, list[str]] = defaultdict(list)
    for relation in relations:
        names[node(relation.head), node(relation.tail)].append(relation.type)
    graph = {pair: ", ".join(dict.fromkeys(found)) for pair, found in names.items()}
    picture = Picture(height=MARGIN)
    for columns in parts(graph):
        Part(picture, graph, columns, types).draw()
    picture.height += MARGIN - SPACE / 2  # a name may stand below the last box
    return picture


def parts(graph: Mapping[Pair, str]) -> list[dict[Node, int]]:
    """The connected parts as columns by node, counted from the node that keeps the part narrow."""
    neighbours: dict[Node, set[Node]] = defaultdict(set)
    for head, tail in graph:
        neighbours[head].add(tail)
        neighbours[tail].add(head)
    found, seen = [], set[Node]()
    for start in sorted(neighbours, key=order):
        if start not in seen:
            part = distances(start, neighbours)
            seen |= set(part)
            spans = {n: max(distances(n, neighbours).values()) for n in part}
            root = min(part, key=lambda n: (spans[n], -len(neighbours[n]), order(n)))
            found.append(distances(root, neighbours))
    return found


def order(one: Node) -> tuple[bool, int, int, str]:
    """As in the text; what it does not hold comes last."""
    return (one[0] == UNKNOWN, *one)


def distances(root: Node, neighbours: Mapping[Node, set[Node]]) -> dict[Node, int]:
    found, waiting = {root: 0}, deque([root])
    while waiting:
        here = waiting.popleft()
        for other in sorted(neighbours[here] - set(found), key=order):
            found[other] = found[here] + 1
            waiting.append(other)
    return found


class Part:
    """One connected part, drawn below what the picture holds already."""

    def __init__(
        self, picture: Picture, graph: Mapping[Pair, str], columns: Mapping[Node, int], types: Mapping[Node, str]
    ) -> None:
        self.picture, self.columns = picture, columns
        self.names = {pair: name for pair, name in graph.items() if pair[0] in columns}
        self.lanes = [p for p in self.names if columns[p[0]] == columns[p[1]]]
        self.across = sorted((p for p in self.names if p not in self.lanes), key=lambda p: order(self.ends(p)[0]))
        self.high = max(map(self.height, columns))
        self.wide = [0.0] * (max(columns.values()) + 1)  # of the boxes of every column
        for n, c in columns.items():
            self.wide[c] = max(self.wide[c], width(n[2]) + 24, 0.85 * width(types.get(n, "")) + 24)
        self.boxes: dict[Node, Box] = {}

    def ends(self, pair: Pair) -> Pair:
        """The pair of an arrow, left end first."""
        return pair if self.columns[pair[0]] < self.columns[pair[1]] else pair[::-1]

    def ports(self, one: Node) -> list[Pair]:
        """Arrows that enter a box from the left, from above to below."""
        return [pair for pair in self.across if self.ends(pair)[1] == one]

    def exits(self, one: Node) -> list[Exit]:
        """What leaves or enters a box on its right: arrows that begin there, those that end there, and each lane."""
        right = [pair for pair in self.across if self.ends(pair)[0] == one]
        found: list[Exit] = [(None, end) for end in (0, 1) if any(pair[end] == one for pair in right)]
        return found + [(pair, end) for pair in self.lanes for end in (0, 1) if pair[end] == one]

    def height(self, one: Node) -> float:
        return max(BOX, PORT * (max(len(self.ports(one)), len(self.exits(one))) - 1) + 24)

    def draw(self) -> None:
        lines, top = self.lines(), self.picture.height
        lefts = self.lefts()
        for n, c in self.columns.items():
            middle = top + lines[n] * (self.high + SPACE) + self.high / 2
            self.boxes[n] = Box(n, lefts[c], middle - self.height(n) / 2, self.wide[c], self.height(n))
        self.picture.boxes += self.boxes.values()
        self.picture.arrows += [*map(self.lane, self.lanes), *map(self.crossing, self.across)]
        self.picture.height = top + (max(lines.values()) + 1) * (self.high + SPACE)
        self.picture.width = max(self.picture.width, lefts[-1] + MARGIN)

    def lines(self) -> dict[Node, float]:
        """A line for every leaf of the tree of shortest ways; a node stands in the middle of what hangs on it."""
        children: dict[Node, list[Node]] = defaultdict(list)
        for n, c in self.columns.items():
            if c:
                joined = {self.ends(p)[0] for p in self.ports(n)}
                children[next(m for m in self.columns if m in joined)].append(n)
        found: dict[Node, float] = {}
        leaves = 0
        for n in _below_first(next(iter(self.columns)), children):
            below = [found[child] for child in children[n]]
            found[n] = (below[0] + below[-1]) / 2 if below else leaves
            leaves += not below
        return found

    def lefts(self) -> list[float]:
        """Left edges of the columns, and the right edge of all."""
        found = [MARGIN]
        for c, wide in enumerate(self.wide):
            lanes = sum(self.lane_width(p) for p in self.lanes if self.columns[p[0]] == c)
            names = [width(self.names[p]) for p in self.across if self.columns[self.ends(p)[0]] == c]
            found.append(found[-1] + wide + lanes + (BEND + max(names) + 26 if names else 0))
        return found

    def lane_width(self, pair: Pair) -> float:
        return width(self.names[pair]) + 30

    def lane(self, pair: Pair) -> Arrow:
        """An arrow out of a column and back into it, rounded at its corners; its name stands below the upper box."""
        one, two = (self.boxes[n] for n in pair)
        mates = [p for p in self.lanes if self.columns[p[0]] == self.columns[pair[0]]]
        edge = one.left + one.width
        x = edge + sum(self.lane_width(p) for p in mates[: mates.index(pair)]) + 22
        y, v = (self.exit(n, (pair, end)) for end, n in enumerate(pair))
        r = 8 if v > y else -8
        path = f"M {edge} {y} H {x - 8} Q {x} {y} {x} {y + r} V {v - r} Q {x} {v} {x - 8} {v} H {edge}"
        upper = min(one, two, key=lambda box: box.top)
        return Arrow(pair, self.names[pair], path, False, x + 6, upper.top + upper.height + SPACE / 2)

    def crossing(self, pair: Pair) -> Arrow:
        """An arrow between two columns: level out of the left box, a bend, level into the right box."""
        left, right = self.ends(pair)
        one, two = self.boxes[left], self.boxes[right]
        lanes = sum(self.lane_width(p) for p in self.lanes if self.columns[p[0]] == self.columns[left])
        start, bend = one.left + one.width, one.left + one.width + lanes
        y = self.exit(left, (None, int(pair[1] == left)))
        ports = self.ports(right)
        v = two.top + two.height / 2 + PORT * (ports.index(pair) - (len(ports) - 1) / 2)
        middle, end = bend + BEND / 2, bend + BEND
        path = f"M {start} {y} H {bend} C {middle} {y} {middle} {v} {end} {v} H {two.left}"
        return Arrow(pair, self.names[pair], path, pair[1] == left, end + 4, v)

    def exit(self, one: Node, what: Exit) -> float:
        """Height of the place where something leaves a box on its right."""
        box, exits = self.boxes[one], self.exits(one)
        return box.top + box.height / 2 + PORT * (exits.index(what) - (len(exits) - 1) / 2)


def _below_first(root: Node, children: Mapping[Node, Sequence[Node]]) -> list[Node]:
    """Every node after all that hang on it, branches in their order."""
    found, waiting = [], [root]
    while waiting:
        here = waiting.pop()
        found.append(here)
        waiting += children.get(here, ())
    return found[::-1]
