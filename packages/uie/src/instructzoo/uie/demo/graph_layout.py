"""Lays out a graph of relations, so that no label covers another and no arrow crosses a box.

Each connected component is laid out by itself, below the one before. Its nodes form columns by their distance from a
root, so that every arrow either joins neighbouring columns, or leaves a column and returns to it. To the right of a
column there is, from left to right,

    a lane for every arrow within the column, with its label; room where arrows bend; room for the labels of arrows

and every arrow between columns ends horizontally at a port of its own on the right-hand box, where its label is.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from instructzoo.uie.schema import UNKNOWN, Mention, Relation

BOX_HEIGHT, PORT_DISTANCE, ROW_GAP = 40.0, 18.0, 26.0
"""Least height of a box, distance of two ports, and free height below a box; all lengths here are in pixels."""
BEND_WIDTH, MARGIN, LETTER_WIDTH = 46.0, 10.0, 7.7
"""Width in which arrows bend, margin of the graph, and width of a letter."""
MAX_LETTERS = 24
"""Letters of a name that are drawn."""

Node = tuple[int, int, str]
"""Identity of a mention: start, end and text."""
Edge = tuple[Node, Node]
"""From head to tail."""
Port = tuple[Edge | None, int]
"""A connection on the right of a box: where arrows to the next column begin (None, 0), where arrows from it end
(None, 1), or the beginning (0) or end (1) of an edge within the column."""


@dataclass(frozen=True, slots=True)
class Box:
    """The box of a node; lengths from the upper left corner of the graph."""

    node: Node
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """The arrow of an edge.

    Attributes:
        edge: Head and tail of the relations that it stands for.
        label: Their types.
        path: An SVG path.
        reversed: Whether the path begins at the tail, so that the arrow head is at its beginning.
        label_left: Where the label begins.
        label_middle: The height that it is centred on.
    """

    edge: Edge
    label: str
    path: str
    reversed: bool
    label_left: float
    label_middle: float


@dataclass
class GraphLayout:
    """Boxes and arrows, and the size of the graph."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def node_of(mention: Mention) -> Node:
    """The node that a mention is drawn as."""
    return (mention.start, mention.end, mention.text)


def shorten(text: str) -> str:
    """A name as it is drawn: on one line, with at most MAX_LETTERS letters."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_LETTERS else f"{text[: MAX_LETTERS - 1].rstrip()}…"


def text_width(text: str) -> float:
    """An upper estimate of the width of a name as it is drawn."""
    letters = sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in shorten(text)
    )
    return LETTER_WIDTH * letters


def lay_out(relations: Sequence[Relation], types: Mapping[Node, str]) -> GraphLayout:
    """Lay out the graph of some relations.

    Args:
        relations: The relations; those of one pair in one direction share an arrow.
        types: The type that is written below the name of a node.

    Returns:
        Positions of all boxes, arrows and labels.
    """
    types_by_edge: dict[Edge, list[str]] = defaultdict(list)
    for relation in relations:
        types_by_edge[node_of(relation.head), node_of(relation.tail)].append(relation.type)
    labels = {edge: ", ".join(dict.fromkeys(edge_types)) for edge, edge_types in types_by_edge.items()}
    graph = GraphLayout(height=MARGIN)
    for columns in connected_components(labels):
        ComponentLayout(graph, labels, columns, types).draw()
    graph.height += MARGIN - ROW_GAP / 2  # a label may be below the last box
    return graph


def connected_components(labels: Mapping[Edge, str]) -> list[dict[Node, int]]:
    """The column of each node, for each connected component: its distance from the root that needs fewest columns."""
    neighbours: dict[Node, set[Node]] = defaultdict(set)
    for head, tail in labels:
        neighbours[head].add(tail)
        neighbours[tail].add(head)
    components, visited = [], set[Node]()
    for start in sorted(neighbours, key=node_order):
        if start not in visited:
            component = distances(start, neighbours)
            visited |= set(component)
            eccentricity = {n: max(distances(n, neighbours).values()) for n in component}
            root = min(component, key=lambda n: (eccentricity[n], -len(neighbours[n]), node_order(n)))
            components.append(distances(root, neighbours))
    return components


def node_order(node: Node) -> tuple[bool, int, int, str]:
    """Sort key: the order of the text; nodes that the text does not contain come last."""
    return (node[0] == UNKNOWN, *node)


def distances(root: Node, neighbours: Mapping[Node, set[Node]]) -> dict[Node, int]:
    """The number of edges from the root to every node, by breadth-first search."""
    distance, queue = {root: 0}, deque([root])
    while queue:
        node = queue.popleft()
        for neighbour in sorted(neighbours[node] - set(distance), key=node_order):
            distance[neighbour] = distance[node] + 1
            queue.append(neighbour)
    return distance


class ComponentLayout:
    """The layout of one connected component, below what the graph has already."""

    def __init__(
        self, graph: GraphLayout, labels: Mapping[Edge, str], columns: Mapping[Node, int], types: Mapping[Node, str]
    ) -> None:
        self.graph, self.columns = graph, columns
        self.labels = {edge: label for edge, label in labels.items() if edge[0] in columns}
        self.within_columns = [e for e in self.labels if columns[e[0]] == columns[e[1]]]
        self.between_columns = sorted(
            (e for e in self.labels if e not in self.within_columns), key=lambda e: node_order(self.left_to_right(e)[0])
        )
        self.row_height = max(map(self.box_height, columns))
        self.box_widths = [0.0] * (max(columns.values()) + 1)  # by column
        for n, c in columns.items():
            type_width = 0.85 * text_width(types.get(n, ""))
            self.box_widths[c] = max(self.box_widths[c], text_width(n[2]) + 24, type_width + 24)
        self.boxes: dict[Node, Box] = {}

    def left_to_right(self, edge: Edge) -> Edge:
        """The ends of an edge, the left one first."""
        return edge if self.columns[edge[0]] < self.columns[edge[1]] else edge[::-1]

    def left_ports(self, node: Node) -> list[Edge]:
        """Edges that reach a box from the left, from top to bottom."""
        return [edge for edge in self.between_columns if self.left_to_right(edge)[1] == node]

    def right_ports(self, node: Node) -> list[Port]:
        """Connections on the right of a box: edges that begin there, those that end there, each edge in the column."""
        edges = [edge for edge in self.between_columns if self.left_to_right(edge)[0] == node]
        ports: list[Port] = [(None, end) for end in (0, 1) if any(edge[end] == node for edge in edges)]
        return ports + [(edge, end) for edge in self.within_columns for end in (0, 1) if edge[end] == node]

    def box_height(self, node: Node) -> float:
        """Height of a box, which has room for its ports."""
        n_ports = max(len(self.left_ports(node)), len(self.right_ports(node)))
        return max(BOX_HEIGHT, PORT_DISTANCE * (n_ports - 1) + 24)

    def draw(self) -> None:
        """Add boxes and arrows to the graph."""
        rows, top = self.rows(), self.graph.height
        lefts = self.column_lefts()
        for n, c in self.columns.items():
            middle = top + rows[n] * (self.row_height + ROW_GAP) + self.row_height / 2
            height = self.box_height(n)
            self.boxes[n] = Box(n, lefts[c], middle - height / 2, self.box_widths[c], height)
        self.graph.boxes += self.boxes.values()
        self.graph.arrows += [
            *map(self.arrow_within_column, self.within_columns),
            *map(self.arrow_between_columns, self.between_columns),
        ]
        self.graph.height = top + (max(rows.values()) + 1) * (self.row_height + ROW_GAP)
        self.graph.width = max(self.graph.width, lefts[-1] + MARGIN)

    def rows(self) -> dict[Node, float]:
        """A row for every leaf of the tree of shortest paths; other nodes are centred on their children."""
        children: dict[Node, list[Node]] = defaultdict(list)
        for n, c in self.columns.items():
            if c:
                parents = {self.left_to_right(edge)[0] for edge in self.left_ports(n)}
                children[next(m for m in self.columns if m in parents)].append(n)
        rows: dict[Node, float] = {}
        n_leaves = 0
        for n in _post_order(next(iter(self.columns)), children):
            child_rows = [rows[child] for child in children[n]]
            rows[n] = (child_rows[0] + child_rows[-1]) / 2 if child_rows else n_leaves
            n_leaves += not child_rows
        return rows

    def column_lefts(self) -> list[float]:
        """Left edges of the columns, then the right edge of the last one."""
        lefts = [MARGIN]
        for c, box_width in enumerate(self.box_widths):
            lanes = sum(self.lane_width(e) for e in self.within_columns if self.columns[e[0]] == c)
            leaving = [e for e in self.between_columns if self.columns[self.left_to_right(e)[0]] == c]
            labels = [text_width(self.labels[e]) for e in leaving]
            lefts.append(lefts[-1] + box_width + lanes + (BEND_WIDTH + max(labels) + 26 if labels else 0))
        return lefts

    def lane_width(self, edge: Edge) -> float:
        """Width of the lane of an edge within a column."""
        return text_width(self.labels[edge]) + 30

    def arrow_within_column(self, edge: Edge) -> Arrow:
        """An arrow out of a column and back into it, with round corners; its label is below the upper box."""
        head, tail = (self.boxes[n] for n in edge)
        lanes = [e for e in self.within_columns if self.columns[e[0]] == self.columns[edge[0]]]
        right = head.left + head.width
        x = right + sum(self.lane_width(e) for e in lanes[: lanes.index(edge)]) + 22
        y0, y1 = (self.right_port_y(n, (edge, end)) for end, n in enumerate(edge))
        radius = 8 if y1 > y0 else -8
        path = f"M {right} {y0} H {x - 8} Q {x} {y0} {x} {y0 + radius} "
        path += f"V {y1 - radius} Q {x} {y1} {x - 8} {y1} H {right}"
        upper = min(head, tail, key=lambda box: box.top)
        return Arrow(edge, self.labels[edge], path, False, x + 6, upper.top + upper.height + ROW_GAP / 2)

    def arrow_between_columns(self, edge: Edge) -> Arrow:
        """An arrow between two columns: horizontal out of the left box, a bend, horizontal into the right box."""
        left_node, right_node = self.left_to_right(edge)
        left, right = self.boxes[left_node], self.boxes[right_node]
        lanes = sum(self.lane_width(e) for e in self.within_columns if self.columns[e[0]] == self.columns[left_node])
        start, bend_start = left.left + left.width, left.left + left.width + lanes
        y0 = self.right_port_y(left_node, (None, int(edge[1] == left_node)))
        ports = self.left_ports(right_node)
        y1 = right.top + right.height / 2 + PORT_DISTANCE * (ports.index(edge) - (len(ports) - 1) / 2)
        x, bend_end = bend_start + BEND_WIDTH / 2, bend_start + BEND_WIDTH
        path = f"M {start} {y0} H {bend_start} C {x} {y0} {x} {y1} {bend_end} {y1} H {right.left}"
        return Arrow(edge, self.labels[edge], path, edge[1] == left_node, bend_end + 4, y1)

    def right_port_y(self, node: Node, port: Port) -> float:
        """Height of a connection on the right of a box."""
        box, ports = self.boxes[node], self.right_ports(node)
        return box.top + box.height / 2 + PORT_DISTANCE * (ports.index(port) - (len(ports) - 1) / 2)


def _post_order(root: Node, children: Mapping[Node, Sequence[Node]]) -> list[Node]:
    """Every node after all its descendants, branches in their order."""
    nodes, stack = [], [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack += children.get(node, ())
    return nodes[::-1]
