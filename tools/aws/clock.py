"""The account's time: wall time on AWS, the stepped clock of an account on this machine."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tools.errors import Misconfigured, Transient

if TYPE_CHECKING:
    import urllib3

POOL = 32


@dataclass(frozen=True)
class SystemClock:
    """Wall time."""

    def now(self) -> datetime:
        """Return the wall time in UTC."""
        return datetime.now(UTC)

    def wait_until(self, moment: datetime) -> datetime:
        """Block until a moment of wall time has come."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            time.sleep(min(left, 30.0))
        return self.now()


@dataclass(frozen=True)
class AccountClock:
    """The stepped clock of an account on this machine: waiting is what moves it."""

    url: str
    timeout_seconds: float = 120.0

    def __post_init__(self) -> None:
        """Refuse a clock anywhere but on this machine."""
        if urlsplit(self.url).hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise Misconfigured(f"the clock {self.url!r} is not on this machine; unset CLOUDOPS_CLOCK on AWS")

    @cached_property
    def _http(self) -> "urllib3.PoolManager":
        """Return the connections for all questions, made for the first: whoever asks none does not load urllib3.

        The time is asked for with every observation, which with httpx took more of the processor than the calls to
        AWS that are timed by it. Many threads ask at once, so that each may have a connection. A connection that was
        kept may be closed by the account just when it is used again; to ask once more, or to step to a moment once
        more, changes nothing further.
        """
        import urllib3

        again = urllib3.Retry(1, connect=0, redirect=0, status=0, allowed_methods=None)
        return urllib3.PoolManager(maxsize=POOL, retries=again, timeout=self.timeout_seconds)

    def now(self) -> datetime:
        """Return the account's time."""
        return self._ask("GET", None)

    def wait_until(self, moment: datetime) -> datetime:
        """Step the account's clock to a moment; one that has passed already moves nothing."""
        now = self.now()
        if moment <= now:
            return now
        try:
            return self._ask("POST", {"until": moment.astimezone(UTC).isoformat()})
        except Transient:
            # Somebody else may have stepped past the moment meanwhile, and the clock refuses to go back.
            if (now := self.now()) < moment:
                raise
            return now

    def _ask(self, method: str, body: dict[str, str] | None) -> datetime:
        from urllib3.exceptions import HTTPError

        try:
            answer = self._http.request(method, self.url, json=body)
        except HTTPError as error:
            raise Transient(f"the account's clock at {self.url} does not answer: {error}") from error
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Transient(f"the account's clock refuses this: {_told(answer.data.decode())}")
        return datetime.fromisoformat(answer.json()["now"]).astimezone(UTC)


def _told(text: str) -> str:
    """Return what the account says is wrong, which it tells as JSON."""
    try:
        told = json.loads(text)
    except ValueError:
        return text[:200]
    return str(told.get("error", text[:200])) if isinstance(told, dict) else text[:200]
