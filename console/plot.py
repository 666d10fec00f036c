"""Draw a metric as SVG: a line, its threshold, and marks whose labels do not overlap."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from console.series import Mark, Plot
from console.text import amount, plain

LABEL_ROW = 19
CHAR = 6.9


@dataclass(frozen=True)
class Frame:
    """The size of a drawing and the scales from time and value to its units."""

    width: int
    left: int
    right: int
    rows: int
    since: datetime
    until: datetime
    top_value: float
    plot_height: int = 190

    @property
    def top(self) -> int:
        """Return where the plot begins, below the labels."""
        return 10 + self.rows * LABEL_ROW

    @property
    def bottom(self) -> int:
        """Return where the plot ends."""
        return self.top + self.plot_height

    @property
    def height(self) -> int:
        """Return the height of the whole."""
        return self.bottom + 30

    def x(self, at: datetime) -> float:
        """Return the place of a moment."""
        whole = (self.until - self.since).total_seconds() or 1.0
        return self.left + (at - self.since).total_seconds() / whole * (self.width - self.left - self.right)

    def y(self, value: float) -> float:
        """Return the place of a value."""
        return self.bottom - value / self.top_value * self.plot_height


def draw(plot: Plot, width: int) -> str:
    """Return the plot as one SVG element of a width in its own units."""
    if not plot.points:
        return ""
    rows = _label_rows(plot, width)
    frame = _frame(plot, width, max(rows.values(), default=-1) + 1)
    body = [*_grid(frame), *_threshold(plot, frame), *_line(plot, frame)]
    # All lines first: a label's halo then keeps it readable where a line crosses it.
    body += [_mark_line(mark, frame, rows[mark]) for mark in plot.marks]
    body += [_mark_text(mark, frame, rows[mark]) for mark in plot.marks]
    label = escape(
        f"{plain(plot.title)} over time, with {', '.join(m.label for m in plot.marks)}", quote=True
    )
    box = f"0 0 {frame.width} {frame.height}"
    return f'<svg class="plot" viewBox="{box}" role="img" aria-label="{label}">{"".join(body)}</svg>'


def _span(plot: Plot) -> tuple[datetime, datetime]:
    moments = [at for at, _ in plot.points] + [mark.at for mark in plot.marks]
    return min(moments), max(moments) + plot.period


def _frame(plot: Plot, width: int, rows: int) -> Frame:
    since, until = _span(plot)
    highest = max([value for _, value in plot.points] + [plot.threshold or 0.0])
    return Frame(width, 46, 14, rows, since, until, nice(highest * 1.08))


def nice(value: float) -> float:
    """Return the next round number from a value up: 1, 2, 2.5 or 5 times a power of ten, in quarters."""
    if value <= 0:
        return 1.0
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(power * step for step in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10) if power * step >= value)


def _label_rows(plot: Plot, width: int) -> dict[Mark, int]:
    """Give each label the lowest row where it touches no other, from the right, so that leaders do not cross."""
    frame = _frame(plot, width, 0)
    taken: list[float] = []
    rows: dict[Mark, int] = {}
    for mark in sorted(plot.marks, key=lambda m: m.at, reverse=True):
        start, end = _extent(mark, frame)
        row = next((i for i, left in enumerate(taken) if end + 10 < left), len(taken))
        if row == len(taken):
            taken.append(start)
        taken[row] = start
        rows[mark] = row
    return rows


def _extent(mark: Mark, frame: Frame) -> tuple[float, float]:
    """Return where a label begins and ends: to the right of its line, or to the left where it would not fit."""
    length = len(_label(mark)) * CHAR + 6
    x = frame.x(mark.at)
    return (x, x + length) if x + length <= frame.width else (max(x - length, 0.0), x)


def _label(mark: Mark) -> str:
    return f"{mark.at:%H:%M} {mark.label}"


def _grid(frame: Frame) -> list[str]:
    parts = []
    for quarter in range(5):
        value = frame.top_value * quarter / 4
        y = frame.y(value)
        parts.append(
            f'<line class="grid" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(
            f'<text class="axis" x="{frame.left - 6}" y="{y + 4:.1f}" text-anchor="end">{amount(value)}</text>'
        )
    most = max(2, (frame.width - frame.left - frame.right) // 90)
    minutes = (frame.until - frame.since).total_seconds() / 60
    step = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120, 360) if minutes / s <= most), 720)
    at = frame.since.replace(second=0, microsecond=0)
    at -= timedelta(minutes=(at.hour * 60 + at.minute) % step)
    while at <= frame.until:
        if at >= frame.since:
            x = frame.x(at)
            parts.append(
                f'<text class="axis" x="{x:.1f}" y="{frame.bottom + 18}" text-anchor="middle">{at:%H:%M}</text>'
            )
            parts.append(
                f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.bottom}" y2="{frame.bottom + 4}"/>'
            )
        at += timedelta(minutes=step)
    return parts


def _threshold(plot: Plot, frame: Frame) -> list[str]:
    if plot.threshold is None:
        return []
    y = frame.y(plot.threshold)
    text = f"threshold {amount(plot.threshold)}"
    return [
        f'<line class="threshold" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y:.1f}" y2="{y:.1f}"/>',
        f'<text class="threshold-text" x="{frame.left + 6}" y="{y - 5:.1f}">{text}</text>',
    ]


def _line(plot: Plot, frame: Frame) -> list[str]:
    """Return the line, broken where datapoints are missing: a gap is not a zero."""
    runs: list[list[str]] = []
    last: datetime | None = None
    for at, value in plot.points:
        if last is None or at - last > plot.period * 1.5:
            runs.append([])
        runs[-1].append(f"{frame.x(at):.1f},{frame.y(value):.1f}")
        last = at
    lines = [f'<polyline class="line" points="{" ".join(run)}"/>' for run in runs if len(run) > 1]
    dots = [tuple(run[0].split(",")) for run in runs if len(run) == 1]
    return lines + [f'<circle class="dot" cx="{x}" cy="{y}" r="2.5"/>' for x, y in dots]


def _mark_line(mark: Mark, frame: Frame, row: int) -> str:
    x, top = frame.x(mark.at), _label_y(frame, row) - 10
    return f'<line class="mark {mark.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{frame.bottom}"/>'


def _mark_text(mark: Mark, frame: Frame, row: int) -> str:
    x = frame.x(mark.at)
    start, _ = _extent(mark, frame)
    anchor, text_x = ("start", x + 5) if start >= x else ("end", x - 5)
    return (
        f'<text class="mark-text {mark.kind}" x="{text_x:.1f}" y="{_label_y(frame, row)}" text-anchor="{anchor}">'
        f"{escape(plain(_label(mark)))}</text>"
    )


def _label_y(frame: Frame, row: int) -> int:
    return frame.top - 8 - row * LABEL_ROW
