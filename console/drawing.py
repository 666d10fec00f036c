"""Draw the incident graph: Mermaid text, and SVG without any network."""

from html import escape
from itertools import pairwise
from pathlib import Path

from console.layering import Edge, Placed, Point, place
from console.text import screen
from graphs.thinking import Copilot
from graphs.wiring import wire

BOX_W, BOX_H, MARGIN, SIDE = 132, 34, 24, 60
ENDS = {"__start__": "start", "__end__": "end"}
ACTING = {"act", "revert"}
WAITING = {"approve", "watch"}
STYLE = """
svg { font: 14px ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.paper { fill: #ffffff; } rect.box { fill: #f4f4ef; stroke: #7b8187; } text { fill: #1c1e21; text-anchor: middle; }
.acts rect.box { stroke: #b3261e; stroke-width: 2; } .waits rect.box { stroke: #7a3fb0; stroke-width: 2; }
path { fill: none; stroke: #7b8187; stroke-width: 1.4; } path.if { stroke-dasharray: 5 4; }
path.head { fill: #7b8187; stroke: none; }
@media (prefers-color-scheme: dark) {
  .paper { fill: #15171a; } rect.box { fill: #1e2125; stroke: #9ba1a8; } text { fill: #e6e6e3; }
  path { stroke: #9ba1a8; } path.head { fill: #9ba1a8; }
  .acts rect.box { stroke: #f28b82; } .waits rect.box { stroke: #c49af0; }
}
"""


def _opened() -> Copilot:
    raise AssertionError("a graph that is only drawn opens no copilot")


def edges_of_graph() -> list[Edge]:
    """Return the edges of the incident graph as it is wired."""
    drawable = wire(_opened).compile(name="incident").get_graph()
    return [Edge(edge.source, edge.target, edge.conditional) for edge in drawable.edges]


def mermaid() -> str:
    """Return the graph as Mermaid text."""
    return wire(_opened).compile(name="incident").get_graph().draw_mermaid()


def show_graph(svg: Path | None) -> int:
    """Print the Mermaid text, or write the SVG."""
    if svg is None:
        screen().file.write(mermaid())
        return 0
    svg.write_text(draw_graph(edges_of_graph()), encoding="utf-8")
    screen(err=True).print(str(svg))
    return 0


def draw_graph(edges: list[Edge], start: str = "__start__") -> str:
    """Return the graph as one SVG document, light or dark as the reader's system is."""
    placed = place(start, edges, BOX_W + 28, BOX_H + 40)
    across = max(point.x for path in placed.paths.values() for point in path)
    wide = across + BOX_W + 2 * MARGIN + SIDE * (1 if placed.backward else 0)
    high = max(point.y for point in placed.nodes.values()) + BOX_H + 2 * MARGIN
    shift = Point(MARGIN + BOX_W / 2, MARGIN + BOX_H / 2)
    parts = [_edge(edge, placed, shift, across) for edge in placed.paths]
    parts += [_node(name, _moved(at, shift)) for name, at in placed.nodes.items()]
    head = (
        '<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0 L10 5 L0 10 z"/></marker>'
    )
    size = f'viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" height="{high:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="the incident graph">'
        f'<style>{STYLE}</style><defs>{head}</defs><rect class="paper" width="100%" height="100%"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _moved(point: Point, shift: Point) -> Point:
    return Point(point.x + shift.x, point.y + shift.y)


def _node(name: str, at: Point) -> str:
    kind = "acts" if name in ACTING else "waits" if name in WAITING else "step"
    radius = BOX_H / 2 if name in ENDS else 5
    width = 72 if name in ENDS else BOX_W
    return (
        f'<g class="{kind}"><rect class="box" x="{at.x - width / 2:.1f}" y="{at.y - BOX_H / 2:.1f}" width="{width}"'
        f' height="{BOX_H}" rx="{radius}"/><text x="{at.x:.1f}" y="{at.y + 5:.1f}">'
        f"{escape(ENDS.get(name, name))}</text></g>"
    )


def _edge(edge: Edge, placed: Placed, shift: Point, across: float) -> str:
    points = [_moved(point, shift) for point in placed.paths[edge]]
    kind = ' class="if"' if edge.conditional else ""
    if edge in placed.backward:
        path = _around(points[0], points[-1], across + shift.x + BOX_W / 2 + SIDE * 0.6)
    else:
        path = _down(points)
    return f'<path{kind} d="{path}" marker-end="url(#head)"/>'


def _down(points: list[Point]) -> str:
    """Return a smooth curve from the bottom of a box past the bends to the top of another.

    The bends steer a quadratic B-spline, which turns less than a curve through them would.
    """
    first, last = points[0], points[-1]
    start, end = Point(first.x, first.y + BOX_H / 2), Point(last.x, last.y - BOX_H / 2 - 1)
    steer = [Point(first.x, start.y + 16), *points[1:-1], Point(last.x, end.y - 18)]
    path = f"M{start.x:.1f} {start.y:.1f}"
    for a, b in pairwise(steer):
        path += f" Q{a.x:.1f} {a.y:.1f} {(a.x + b.x) / 2:.1f} {(a.y + b.y) / 2:.1f}"
    return f"{path} Q{last.x:.1f} {end.y - 18:.1f} {end.x:.1f} {end.y:.1f}"


def _around(source: Point, target: Point, side: float) -> str:
    """Return a curve that goes back up on the right of everything; a step to itself is a small loop."""
    right_s, right_t = source.x + BOX_W / 2, target.x + BOX_W / 2
    if source == target:
        return (
            f"M{right_s:.1f} {source.y + 7:.1f} C{right_s + 34:.1f} {source.y + 22:.1f} "
            f"{right_s + 34:.1f} {source.y - 22:.1f} {right_s + 1:.1f} {source.y - 7:.1f}"
        )
    near = min(side, max(right_s, right_t) + SIDE)
    return (
        f"M{right_s:.1f} {source.y:.1f} C{near:.1f} {source.y:.1f} {near:.1f} {target.y:.1f} "
        f"{right_t + 1:.1f} {target.y:.1f}"
    )
