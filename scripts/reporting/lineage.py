"""Draws the lineage: one small map of the domains, and one graph for each domain.

Every coordinate is computed here, so the page needs no script. Each graph comes in two forms: in
columns for a wide screen, and as one list with arcs for a narrow one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import mean

from reporting.artifacts import LAYERS
from reporting.catalogue import SEVERITY, Layer, NodeRow

# Pixels. CHARACTER is a letter's width in the widest of the system fonts.
ROW, BOX, LANE, GAP, HEAD, CHARACTER = 27, 21, 10, 28, 26, 6.9
LONGEST_LABEL = 32
GUTTER = 76
SWEEPS = 6
TROUBLE = ("failed", "warned", "skipped")

TITLES = {
    "source": "Sources",
    "seed": "Seeds",
    "bronze": "Bronze",
    "silver": "Silver",
    "snapshot": "Snapshots",
    "gold": "Gold",
    "exposure": "Exposures",
}


@dataclass(frozen=True)
class Box:
    """A node in a graph. `line` names it and all it stands on or carries, as class names."""

    row: NodeRow
    key: int
    label: str
    x: float
    y: float
    width: float
    list_y: float
    guest: bool  # belongs to another domain
    line: str


@dataclass(frozen=True)
class Edge:
    path: str
    arc: str
    line: str


@dataclass(frozen=True)
class Heading:
    title: str
    x: float
    list_y: float


@dataclass(frozen=True)
class Graph:
    """One domain. Sizes are in pixels."""

    domain: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    headings: tuple[Heading, ...]
    width: float
    height: float
    list_height: float

    @property
    def own(self) -> tuple[Box, ...]:
        return tuple(box for box in self.boxes if not box.guest)


@dataclass(frozen=True)
class Cell:
    """The nodes of one domain in one layer."""

    domain: str
    layer: str
    statuses: tuple[str, ...]

    @property
    def status(self) -> str:
        return min(self.statuses, key=SEVERITY.index)

    @property
    def troubled(self) -> int:
        """How many nodes have this status, if it is one to look into."""
        return self.statuses.count(self.status) if self.status in TROUBLE else 0


@dataclass(frozen=True)
class Overview:
    layers: tuple[str, ...]
    domains: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    links: Mapping[tuple[str, str, str, str], int]  # from domain, layer to domain, layer


@dataclass(frozen=True)
class Lineage:
    overview: Overview
    graphs: tuple[Graph, ...]


def lineage(layers: Sequence[Layer]) -> Lineage | None:
    """The whole project's lineage, or None if there is nothing to draw."""
    rows = {row.node.unique_id: row for layer in layers for row in layer.nodes}
    if not rows:
        return None
    keys = count()
    domains = sorted({row.node.domain for row in rows.values()})
    graphs = tuple(_graph(domain, rows, keys) for domain in domains)
    return Lineage(_overview(rows, domains), graphs)


def _overview(rows: Mapping[str, NodeRow], domains: Sequence[str]) -> Overview:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    links: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for row in rows.values():
        node = row.node
        groups[node.domain, node.layer].append(row.status)
        for parent in node.parents:
            if parent in rows:
                above = rows[parent].node
                if (above.domain, above.layer) != (node.domain, node.layer):
                    links[above.domain, above.layer, node.domain, node.layer] += 1
    cells = {
        (domain, layer): Cell(domain, layer, tuple(found))
        for (domain, layer), found in groups.items()
    }
    layers = sorted({layer for _, layer in groups}, key=_rank)
    return Overview(tuple(layers), tuple(domains), cells, links)


def _rank(layer: str) -> tuple[int, str]:
    return (LAYERS.index(layer) if layer in LAYERS else LAYERS.index("silver"), layer)


def title(layer: str) -> str:
    return TITLES.get(layer, layer.capitalize())


def _graph(domain: str, rows: Mapping[str, NodeRow], keys: Iterator[int]) -> Graph:
    own = {unique_id for unique_id, row in rows.items() if row.node.domain == domain}
    parents = _parents(own, rows)
    straight, routes = _routed(_columns(parents, rows), parents)
    columns = _untangle(straight, routes)
    heights = _heights(columns, routes)
    ordered = [unique_id for column in columns for unique_id in column if unique_id in parents]
    key = {unique_id: next(keys) for unique_id in ordered}
    above = _closure(parents)
    below = _closure(_reversed(parents))

    def line(*members: str) -> str:
        return " ".join(f"c{key[member]}" for member in sorted(set(members), key=key.__getitem__))

    boxes: dict[str, Box] = {}
    headings: list[Heading] = []
    bends: dict[str, tuple[float, float, float]] = {}
    x = list_y = 0.0
    for place in columns:
        column = [unique_id for unique_id in place if unique_id in parents]
        layer = rows[column[0]].node.layer
        if not headings or headings[-1].title != title(layer):
            headings.append(Heading(title(layer), x, list_y))
            list_y += HEAD
        labels = [_label(rows[unique_id], domain) for unique_id in column]
        width = 18 + CHARACTER * max(len(label) for label in labels)
        for unique_id, label in zip(column, labels, strict=True):
            boxes[unique_id] = Box(
                row=rows[unique_id],
                key=key[unique_id],
                label=label,
                x=x,
                y=HEAD + heights[unique_id],
                width=width,
                list_y=list_y,
                guest=unique_id not in own,
                line=line(unique_id, *above[unique_id], *below[unique_id]),
            )
            list_y += ROW
        for bend in set(place) - set(column):
            bends[bend] = (x, x + width, HEAD + heights[bend] + LANE / 2)
        x += width + GAP
    edges = tuple(
        Edge(
            _curve(boxes[parent], boxes[child], _way(child, parent, routes, bends)),
            _arc(boxes[parent], boxes[child]),
            line(parent, child, *above[parent], *below[child]),
        )
        for child in ordered
        for parent in parents[child]
    )
    height = max(heights.values()) + HEAD + ROW
    return Graph(domain, tuple(boxes.values()), edges, tuple(headings), x - GAP, height, list_y)


def _parents(own: set[str], rows: Mapping[str, NodeRow]) -> dict[str, list[str]]:
    """The domain's nodes, their neighbours in other domains, and what each of them reads.

    What two neighbours read of each other is not this domain's matter.
    """
    near = {
        neighbour
        for unique_id in own
        for neighbour in (*rows[unique_id].node.parents, *rows[unique_id].children)
        if neighbour in rows
    }
    return {
        unique_id: sorted(
            parent
            for parent in set(rows[unique_id].node.parents)
            if parent in own or (unique_id in own and parent in rows)
        )
        for unique_id in sorted(own | near)
    }


def _reversed(parents: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {unique_id: [] for unique_id in parents}
    for unique_id, above in parents.items():
        for parent in above:
            children[parent].append(unique_id)
    return children


def _closure(parents: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    known: dict[str, frozenset[str]] = {}

    def above(unique_id: str) -> frozenset[str]:
        if unique_id not in known:
            known[unique_id] = frozenset()
            found = set(parents[unique_id])
            for parent in parents[unique_id]:
                found |= above(parent)
            known[unique_id] = frozenset(found)
        return known[unique_id]

    return {unique_id: above(unique_id) for unique_id in parents}


def _columns(parents: Mapping[str, Sequence[str]], rows: Mapping[str, NodeRow]) -> list[list[str]]:
    """A column for each layer, and within a layer one for each step of what reads what."""
    depths: dict[str, int] = {}

    def depth(unique_id: str) -> int:
        if unique_id not in depths:
            depths[unique_id] = 0
            layer = rows[unique_id].node.layer
            same = [p for p in parents[unique_id] if rows[p].node.layer == layer]
            depths[unique_id] = max((depth(parent) + 1 for parent in same), default=0)
        return depths[unique_id]

    columns: dict[tuple[tuple[int, str], int], list[str]] = defaultdict(list)
    for unique_id in sorted(parents, key=lambda u: rows[u].node.name):
        columns[_rank(rows[unique_id].node.layer), depth(unique_id)].append(unique_id)
    return [columns[position] for position in sorted(columns)]


def _routed(
    columns: list[list[str]], parents: Mapping[str, Sequence[str]]
) -> tuple[list[list[str]], dict[str, list[str]]]:
    """Gives each edge that passes over a column a lane of its own in it, shared by one origin.

    Returns the columns with these lanes among the nodes, and what each node or lane comes from.
    """
    position = {u: i for i, column in enumerate(columns) for u in column}
    routed = [list(column) for column in columns]
    routes: dict[str, list[str]] = {u: [] for u in parents}
    for child, above in parents.items():
        for parent in above:
            before = parent
            for i in range(position[parent] + 1, position[child]):
                lane = f"{parent}\0{i}"
                if lane not in routes:
                    routes[lane] = [before]
                    routed[i].append(lane)
                before = lane
            routes[child].append(before)
    return routed, routes


def _way(
    child: str,
    parent: str,
    routes: Mapping[str, Sequence[str]],
    bends: Mapping[str, tuple[float, float, float]],
) -> list[tuple[float, float, float]]:
    """The lanes between a node and one of its parents: where each begins, ends, and its height."""
    step = next((u for u in routes[child] if u.startswith(f"{parent}\0")), parent)
    found = []
    while step != parent:
        found.append(bends[step])
        step = routes[step][0]
    return found[::-1]


def _untangle(columns: list[list[str]], parents: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Orders each column by the middle of its neighbours, to and fro, so that few edges cross."""
    children = _reversed(parents)
    place = {u: float(i) for column in columns for i, u in enumerate(column)}
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else columns[::-1]:
            near = parents if forward else children
            middle = {u: mean(place[n] for n in near[u]) if near[u] else place[u] for u in column}
            column.sort(key=lambda u: (middle[u], place[u]))  # used at once
            place.update({u: float(i) for i, u in enumerate(column)})
    return columns


def _heights(
    columns: Sequence[Sequence[str]], parents: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Each node beside what it reads, as far as the nodes above it leave room."""
    heights: dict[str, float] = {}
    for column in columns:
        floor = 0.0
        for unique_id in column:
            beside = [heights[parent] for parent in parents[unique_id] if parent in heights]
            heights[unique_id] = max(floor, mean(beside) if beside else floor)
            floor = heights[unique_id] + (LANE if "\0" in unique_id else ROW)
    return heights


def _label(row: NodeRow, domain: str) -> str:
    """Where it is long, a name gives up its domain, and then its middle."""
    name = row.node.name
    if row.node.kind == "source" and row.node.domain == domain:
        name = row.node.name.partition(".")[2]
    if len(name) > LONGEST_LABEL:
        name = name.replace(f"_{domain}_", "_…_", 1)
    if len(name) <= LONGEST_LABEL:
        return name
    half = LONGEST_LABEL // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def _curve(parent: Box, child: Box, way: Sequence[tuple[float, float, float]]) -> str:
    x, y = parent.x + parent.width, parent.y + BOX / 2
    path = f"M{x:.0f} {y:.1f}"
    for start, end, height in (*way, (child.x, child.x, child.y + BOX / 2)):
        bend = max(GAP / 2, (start - x) / 2)
        path += f"C{x + bend:.0f} {y:.1f} {start - bend:.0f} {height:.1f} {start:.0f} {height:.1f}"
        path += f"H{end:.0f}" if end > start else ""
        x, y = end, height
    return path


def _arc(parent: Box, child: Box) -> str:
    """In the list: from the parent's row round the left to the child's."""
    y1, y2 = parent.list_y + ROW / 2, child.list_y + ROW / 2
    reach = GUTTER - min(GUTTER - 4, 10 + abs(y2 - y1) / 6)
    return f"M{GUTTER} {y1:.1f}C{reach:.0f} {y1:.1f} {reach:.0f} {y2:.1f} {GUTTER} {y2:.1f}"
