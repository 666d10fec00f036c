"""A queue around an onset: whether something in it waits longer and longer, and what becomes of the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from tools.analysis.findings import QueueFinding
from tools.analysis.points import Point
from tools.analysis.ramps import Ramp, find_ramp
from tools.analysis.series import LEAST_POINTS, between, mean_between, total_between, values_of

# An oldest message that has waited this much longer than before is not being worked on.
LEAST_SECONDS = 90.0
# Of what is received, some always comes back; this much more than before does not.
MORE_COMES_BACK = 0.2
BASE = timedelta(minutes=60)
MINUTE = timedelta(minutes=1)
SILENT = timedelta(minutes=5)
# What comes now waits for all that waits before it, at the rate at which messages are done; this is too long.
LONG_WAIT_MINUTES = 10.0
# More than before by this much, and more coming than is done by this much, it piles up.
DEEPER = 2.0
MORE_COMES = 1.1
LATELY = 3
# Of a queue that is never taken from in fewer minutes than these, nobody knows how often it is.
LEAST_MINUTES = 30
# A minute's points may be late by some minutes, and a queue that is used again has its first up to 15 minutes later:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html.
STALE = timedelta(minutes=15)


def queue_finding(
    queue: str,
    series: Mapping[str, Sequence[Point]],
    consumers: tuple[str, ...],
    evidence_id: str,
    onset: datetime,
) -> QueueFinding:
    """Return what a queue's metrics show of the present.

    Rates are messages a minute since its age climbs, or since the onset where it does not.
    """
    climb, untouched = _climb(series.get("age", ())), _untouched_since(series)
    since = climb.since if climb else untouched or onset
    sent, received, done = (_rate(series.get(key, ()), since) for key in ("sent", "received", "deleted"))
    return QueueFinding(
        queue=queue,
        evidence_id=evidence_id,
        consumers=consumers,
        climb=climb,
        sent_per_minute=sent,
        done_per_minute=done,
        again_per_minute=round(max(0.0, received - done), 1),
        comes_back=_comes_back(series, onset),
        untouched_since=untouched,
        piles_up=_piles_up(series, onset),
    )


def _piles_up(series: Mapping[str, Sequence[Point]], onset: datetime) -> bool:
    """Say whether more waits than is done in a long while, more than before, and it becomes more.

    How long the newest message will wait follows from how many wait and how many are done a minute (J. D. C. Little,
    "A proof for the queuing formula L = λW", 1961); the age of the oldest shows it only later. A burst that is over is
    none.
    """
    visible = series.get("visible", ())
    end = max((at for at, _ in visible), default=onset) + MINUTE
    sent, done = (mean_between(series.get(key, ()), end - SILENT, end) for key in ("sent", "deleted"))
    before = [value for at, value in visible if at < onset]
    if len(visible) < LEAST_POINTS or not before or not done or sent is None:
        return False
    waiting = float(np.median([value for _, value in visible[-LATELY:]]))
    is_long = waiting > LONG_WAIT_MINUTES * done and waiting > DEEPER * max(before)
    return is_long and sent > MORE_COMES * done


def _climb(age: Sequence[Point]) -> Ramp | None:
    """Return since when what is oldest waits longer and longer, however long it has waited before.

    A ramp is held against a share of the level that it leaves, and the age of an old message is all level: a head that
    does not move gets older by 60 s a minute at two days as at two minutes. So the level is taken out.
    """
    lowest = min((value for _, value in age), default=0.0)
    ramp = find_ramp([(at, value - lowest) for at, value in age], LEAST_SECONDS)
    if ramp is None:
        return None
    return replace(ramp, before=round(ramp.before + lowest, 3), now=round(ramp.now + lowest, 3))


def _untouched_since(series: Mapping[str, Sequence[Point]]) -> datetime | None:
    """Return since when messages wait and nobody takes any, from a queue that is taken from all along or never.

    What waits gets no older than it is kept, so its age may stand still. A queue that is emptied now and then, and is
    between two such times, is not left alone.
    """
    age, received, deleted = (series.get(key, ()) for key in ("age", "received", "deleted"))
    if not age or age[-1][1] < LEAST_SECONDS:
        return None
    lately, end = age[-1][0] + MINUTE - SILENT, age[-1][0] + MINUTE
    waiting = between(series.get("visible", ()), lately, end)
    taken = [between(points, lately, end) for points in (received, deleted)]
    # Points that say zero, and not points that are missing.
    if not len(waiting) or np.min(waiting) <= 0 or any(not len(one) or np.any(one) for one in taken):
        return None
    before = values_of([point for point in received if point[0] < lately])
    last = max((at for at, value in received if value), default=None)
    if last is None:
        return received[0][0] if len(received) >= LEAST_MINUTES else None
    return last + MINUTE if len(before) and float(np.median(before)) > 0 else None


def _comes_back(series: Mapping[str, Sequence[Point]], onset: datetime) -> bool:
    """Say whether clearly more of what is received is not deleted, and so is received again, than before."""
    latest = max((at for at, _ in series.get("received", ())), default=onset)
    before = _share_back(series, onset - BASE, onset)
    return _share_back(series, onset, latest + MINUTE) >= before + MORE_COMES_BACK


def _share_back(series: Mapping[str, Sequence[Point]], start: datetime, end: datetime) -> float:
    received, deleted = (total_between(series.get(key, ()), start, end) for key in ("received", "deleted"))
    return max(0.0, 1 - deleted / received) if received > 0 else 0.0


def tells_of_now(series: Mapping[str, Sequence[Point]], now: datetime) -> bool:
    """Say whether enough was published of a queue, and lately, to tell whether something waits in it."""
    age = series.get("age", ())
    return len(age) >= LEAST_POINTS and age[-1][0] >= now - STALE


def _rate(points: Sequence[Point], since: datetime) -> float:
    if not points:
        return 0.0
    end = max(at for at, _ in points)
    return round(mean_between(points, since, end) or 0.0, 1)
