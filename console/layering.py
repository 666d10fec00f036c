"""Place a directed graph in layers: every forward edge goes down, and few of them cross.

The four steps of Sugiyama, Tagawa and Toda (1981): break cycles, assign layers by longest path, order each layer by
the mean of its neighbours, give coordinates. Edges over several layers run through bends.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

SWEEPS = 12


@dataclass(frozen=True)
class Point:
    """A place on the drawing."""

    x: float
    y: float


@dataclass(frozen=True)
class Edge:
    """One edge; conditional ones are taken by a route's choice."""

    source: str
    target: str
    conditional: bool = False


@dataclass(frozen=True)
class Placed:
    """Where every node stands, and through which points every edge runs."""

    nodes: dict[str, Point]
    paths: dict[Edge, tuple[Point, ...]]
    backward: frozenset[Edge]


def place(start: str, edges: Iterable[Edge], gap_x: float, gap_y: float) -> Placed:
    """Return the places of all nodes that are reached from the start."""
    given = tuple(dict.fromkeys(edges))
    backward = _backward(start, given)
    forward = [edge for edge in given if edge not in backward]
    layer_of = _layers(start, forward)
    chains = {edge: _chain(edge, layer_of) for edge in forward}
    rows = _rows(layer_of, chains)
    links = [(a, b) for chain in chains.values() for a, b in itertools.pairwise(chain)]
    for sweep in range(SWEEPS):
        _order(rows, links, downward=sweep % 2 == 0)
    places = _coordinates(rows, links, gap_x, gap_y)
    nodes = {name: places[name] for name in layer_of}
    paths = {edge: tuple(places[name] for name in chain) for edge, chain in chains.items()}
    paths |= {edge: (nodes[edge.source], nodes[edge.target]) for edge in backward}
    return Placed(nodes, paths, frozenset(backward))


def _backward(start: str, edges: Iterable[Edge]) -> set[Edge]:
    """Return the edges that close a cycle in a walk from the start."""
    out: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        out[edge.source].append(edge)
    found: set[Edge] = set()
    done: set[str] = set()

    def walk(node: str, above: frozenset[str]) -> None:
        for edge in out[node]:
            if edge.target in above | {node}:
                found.add(edge)
            elif edge.target not in done:
                walk(edge.target, above | {node})
        done.add(node)

    walk(start, frozenset())
    return found


def _layers(start: str, edges: list[Edge]) -> dict[str, int]:
    layer = {start: 0}
    for _ in range(len(edges) + 1):
        for edge in edges:
            if edge.source in layer:
                layer[edge.target] = max(layer.get(edge.target, 0), layer[edge.source] + 1)
    return layer


def _chain(edge: Edge, layer_of: dict[str, int]) -> tuple[str, ...]:
    """Return the nodes of an edge with a bend in every layer between them."""
    between = range(layer_of[edge.source] + 1, layer_of[edge.target])
    return (edge.source, *(f"{edge.source}>{edge.target}@{layer}" for layer in between), edge.target)


def _rows(layer_of: dict[str, int], chains: dict[Edge, tuple[str, ...]]) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(layer_of.values()) + 1)]
    for name, layer in layer_of.items():
        rows[layer].append(name)
    for edge, chain in chains.items():
        for offset, name in enumerate(chain[1:-1], 1):
            rows[layer_of[edge.source] + offset].append(name)
    return rows


def _order(rows: list[list[str]], links: list[tuple[str, str]], *, downward: bool) -> None:
    """Sort each row by the mean place of what it is linked to in the row before."""
    near = _neighbours(links, downward=downward)
    sequence = rows if downward else rows[::-1]
    for above, row in itertools.pairwise(sequence):
        at = {name: index for index, name in enumerate(above)}
        means = {name: _mean([at[n] for n in near[name] if n in at], index) for index, name in enumerate(row)}
        row.sort(key=lambda name: means[name])


def _neighbours(links: list[tuple[str, str]], *, downward: bool) -> dict[str, list[str]]:
    near: dict[str, list[str]] = defaultdict(list)
    for above, below in links:
        if downward:
            near[below].append(above)
        else:
            near[above].append(below)
    return near


def _mean(values: list[float] | list[int], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _coordinates(
    rows: list[list[str]], links: list[tuple[str, str]], gap_x: float, gap_y: float
) -> dict[str, Point]:
    """Pull every node towards the mean of its neighbours, at least one gap from the next in its row."""
    width = {name: gap_x * (0.35 if "@" in name else 1.0) for row in rows for name in row}
    x = {name: index * gap_x for row in rows for index, name in enumerate(row)}
    both = _neighbours(links, downward=True)
    for above, below in links:
        both[above].append(below)
    for _ in range(60):
        for row in rows:
            wished = [_mean([x[n] for n in both[name]], x[name]) for name in row]
            _spread(row, wished, width, x)
    left = min(x.values())
    return {name: Point(x[name] - left, layer * gap_y) for layer, row in enumerate(rows) for name in row}


def _spread(row: list[str], wished: list[float], width: dict[str, float], x: dict[str, float]) -> None:
    """Place a row as near to its wishes as the order and the gaps allow: once from each side, and the mean."""
    rightward, leftward = list(wished), list(wished)
    for index in range(1, len(row)):
        gap = (width[row[index - 1]] + width[row[index]]) / 2
        rightward[index] = max(wished[index], rightward[index - 1] + gap)
    for index in range(len(row) - 2, -1, -1):
        gap = (width[row[index]] + width[row[index + 1]]) / 2
        leftward[index] = min(wished[index], leftward[index + 1] - gap)
    for name, a, b in zip(row, rightward, leftward, strict=True):
        x[name] = (a + b) / 2
