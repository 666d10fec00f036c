"""Public series of CloudWatch with labelled anomalies: which are found, and how many points are flagged for nothing.

The series and labels are the Numenta Anomaly Benchmark's (MIT). A window is hit by any point that is flagged in it, and
a point outside all windows is a false one. Beside it stands the plainest baseline, which is given the whole series
before it judges any of it: a value more than five standard deviations from the mean.
"""

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from console.text import screen
from evals.bench.page import replaced
from evals.bench.run import PAGE
from evals.incidents import DATA
from tools.analysis.points import Point
from tools.analysis.seasons import departures
from tools.analysis.series import values_of

NAME = "metrics"
STEP = timedelta(minutes=5)
SIGMAS = 5.0
MOST_FALSE = 0.5
Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Found:
    """What one way of looking finds in one series."""

    hits: int
    windows: int
    false_a_day: float

    @property
    def is_right(self) -> bool:
        """Say whether every window is hit and little else."""
        return self.hits == self.windows and self.false_a_day <= MOST_FALSE


@dataclass(frozen=True)
class Judged:
    """One series, by ours and by the baseline."""

    name: str
    ours: Found
    baseline: Found


def judge(folder: Path) -> list[Judged]:
    """Return what is found in each labelled series of a folder."""
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return [
        _judged(folder / name, [(_moment(a), _moment(b)) for a, b in told["windows"]])
        for name, told in sorted(labels.items())
    ]


def _judged(path: Path, windows: Sequence[Window]) -> Judged:
    with path.open(encoding="utf-8", newline="") as file:
        points = [(_moment(one["timestamp"]), float(one["value"])) for one in csv.DictReader(file)]
    ours = [one.at for one in departures(points, STEP)]
    return Judged(path.stem, _found(ours, points, windows), _found(five_sigma(points), points, windows))


def five_sigma(points: Sequence[Point]) -> list[datetime]:
    """Return the points that are more than five standard deviations from the mean of all."""
    values = values_of(points)
    off = np.abs(values - np.mean(values)) > SIGMAS * np.std(values)
    return [at for (at, _), is_off in zip(points, off, strict=True) if is_off]


def _found(flagged: Sequence[datetime], points: Sequence[Point], windows: Sequence[Window]) -> Found:
    hits = sum(any(start <= at <= end for at in flagged) for start, end in windows)
    false = sum(not any(start <= at <= end for start, end in windows) for at in flagged)
    days = (points[-1][0] - points[0][0]) / timedelta(days=1)
    return Found(hits, len(windows), false / days)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def table(judged: Sequence[Judged]) -> str:
    """Return the results in Markdown."""
    heads = "| series | windows | hit | false points a day | hit by 5 sigma | its false points a day |"
    rows = [
        f"| {one.name} | {one.ours.windows} | {one.ours.hits} | {one.ours.false_a_day:.2f} | "
        f"{one.baseline.hits} | {one.baseline.false_a_day:.2f} |"
        for one in judged
    ]
    return "\n".join([heads, "|---|---:|---:|---:|---:|---:|", *rows, "", f"{datetime.now(UTC).date()}."])


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the series, write the table, and return 1 when a window is missed or too much is flagged."""
    parser = argparse.ArgumentParser(prog="python -m evals.metrics", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that holds metrics/")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write; docs/benchmarks.md")
    asked = parser.parse_args(arguments)
    folder = asked.data / "metrics"
    if not folder.is_dir():
        screen().print(f"not judged: there are no series in {folder}; name their folder with --data")
        return 1
    judged = judge(folder)
    text = table(judged)
    screen().print(text)
    asked.page.write_text(replaced(asked.page.read_text(encoding="utf-8"), NAME, text), encoding="utf-8")
    return 0 if all(one.ours.is_right for one in judged) else 1


if __name__ == "__main__":
    raise SystemExit(main())
