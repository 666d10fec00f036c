"""How many messages a queue gave up, by the depth of its dead-letter queue."""

from collections.abc import Sequence
from datetime import datetime

from tools.analysis.points import Point


def told_given_up(queue: str, dead: str, depth: Sequence[Point], onset: datetime) -> str | None:
    """Tell how many messages of a queue went to its dead-letter queue since an onset; None where none did.

    CloudWatch may know of an idle queue only from when it was used again: then the first depth is what was before.
    """
    if not depth:
        return None
    before = [value for at, value in depth if at < onset] or [depth[0][1]]
    was, now = before[-1], depth[-1][1]
    if now <= was:
        return None
    return f"{now - was:.0f} of {queue} since {onset:%H:%M} UTC: {dead} holds {now:.0f}, before {was:.0f}"
