"""How long CloudWatch keeps data in which resolution, and how it rounds the times it is asked for.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86_400
SECONDS_KEPT = 3 * HOUR
MINUTES_KEPT = 15 * DAY
FIVE_MINUTES_KEPT = 63 * DAY
HOURS_KEPT = 455 * DAY
SHORT_PERIODS = (1, 5, 10, 20, 30)


def rounded_start(start: datetime, now: datetime, period: int) -> int:
    """Where a query really begins: rounded down, the more the longer ago."""
    begin, age = start.timestamp(), (now - start).total_seconds()
    if age < MINUTES_KEPT:
        step = period if period in SHORT_PERIODS else MINUTE
    else:
        step = 5 * MINUTE if age < FIVE_MINUTES_KEPT else HOUR
    return int(begin // step * step)


def oldest_kept(period: int, now: int) -> int:
    """How far back data can be read in periods of this length."""
    if period % HOUR == 0:
        return now - HOURS_KEPT
    if period % (5 * MINUTE) == 0:
        return now - FIVE_MINUTES_KEPT
    return now - (MINUTES_KEPT if period % MINUTE == 0 else SECONDS_KEPT)


def is_period(period: int) -> bool:
    """Whether CloudWatch has periods of this length."""
    return period in SHORT_PERIODS or (period >= MINUTE and period % MINUTE == 0)
