"""Public series of CloudWatch with labelled anomalies: which are found, and how many points are flagged for nothing.

The series and labels are the Numenta Anomaly Benchmark's (MIT). A window is hit by any point that is flagged in it, and
a point outside all windows is a false one. Beside it stands the plainest baseline, which is given the whole series
before it judges any of it: a value more than five standard deviations from the mean.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from evals.public_data import PublicData
from tools.analysis.points import Point
from tools.analysis.seasons import departures
from tools.analysis.series import values_of

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


def is_enough(judged: Sequence[Judged]) -> bool:
    """Say whether in each series every window is hit and little else."""
    return all(one.ours.is_right for one in judged)


METRICS = PublicData("metrics", __doc__, judge, table, is_enough)

if __name__ == "__main__":
    raise SystemExit(METRICS.run())
