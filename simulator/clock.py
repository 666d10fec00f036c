"""The account's clock: it stands still until someone moves it.

Transport time (signatures, sessions, queue visibility) stays wall time. Everything the account says
about itself is dated by this clock.
"""

from datetime import UTC, datetime, timedelta


class BackwardsError(ValueError):
    """Account time does not run backwards."""


class AccountClock:
    """The time in the account. Only the account's own advance moves it."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("the account's clock starts at an aware time")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The time in the account, aware and in UTC."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Set the time to `moment`, which is not before now."""
        if moment < self._now:
            raise BackwardsError(f"the account's clock is at {iso(self._now)}, past {iso(moment)}")
        self._now = moment.astimezone(UTC)


def wall_minute() -> datetime:
    """The wall's time, floored to the minute."""
    return floored(datetime.now(UTC), timedelta(minutes=1))


def floored(moment: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` that is not after `moment`."""
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def iso(moment: datetime) -> str:
    """`2026-11-23T09:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def aware_iso(text: str) -> datetime:
    """An ISO 8601 time in UTC; one without an offset is taken to be UTC already."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
