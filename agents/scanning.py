"""The guard as one piece of work holds it: within the work's seconds, and not asked for ever where it does not answer.

What was not looked at in time counts as unscanned, and is treated as any text that no guard has cleared.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime

from agents.guardrails import UNSCANNED, Direction, Findings, TextGuard, presumed
from memory.records.config import ReadPrices
from memory.records.spend import GuardUse, Spend
from tools.budget import IncidentBudget

# The guard may take so much of a piece of work's seconds: the model has to answer in the rest.
MOST_OF_SECONDS = 0.5
# One look takes about a second; a guard that takes so long for one does not answer.
MOST_SECONDS = 10.0
# A guard that has failed so often in a row is away, and each further look would wait for it again.
MOST_FAILED = 3


class Scans:
    """A guard for one piece of work of so many seconds, which begin here; safe to share between threads.

    What is looked at twice is asked once. A look that is not waited for any longer ends by its client's time-out, and
    is taken for paid. Each look is charged to the incident's budget, and none is begun once nothing is left of it.
    """

    def __init__(
        self,
        guard: TextGuard,
        seconds: float,
        budget: IncidentBudget | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guard = guard
        self._seconds = seconds
        self._budget = budget
        self._prices = (budget.prices if budget else ReadPrices()).guard
        self._spend = Spend()
        self._clock = clock
        self.started = clock()
        self._looks: dict[tuple[Direction, str], Future[Findings]] = {}
        self._ended: dict[tuple[Direction, str], Findings] = {}
        self._waiting, self._waiting_since, self._waited = 0, 0.0, 0.0
        self._failed = 0
        self._lock = threading.Lock()

    @property
    def spend(self) -> Spend:
        """Return what the looks have cost so far."""
        with self._lock:
            return self._spend

    def scan(self, text: str, direction: Direction = Direction.IN) -> Findings:
        """Return what the guard found, or that nobody has looked and why; never waits beyond the work's seconds."""
        key = direction, text
        with self._lock:
            known = self._ended.get(key)
            if known is not None:
                return known
            look = self._looks.get(key)
            refused = "" if look else self._refused()
            if refused:
                return Findings(flags=(UNSCANNED,), detail=refused)
            seconds = max(0.0, min(self._left(), MOST_SECONDS))
            self._waiting_since = self._waiting_since if self._waiting else self._clock()
            self._waiting += 1
            look = look or self._looks.setdefault(key, self._begun(text, direction))
        findings = Findings(flags=(UNSCANNED,), detail="it did not answer in time", use=presumed(text))
        try:
            findings = look.result(timeout=seconds)
        except NotInTime:
            pass
        finally:
            findings = self._noted(key, findings)
        return findings

    def _begun(self, text: str, direction: Direction) -> Future[Findings]:
        """Ask in a thread of its own, which ends with the look."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="scan")
        look = thread.submit(self._guard.scan, text, direction)
        thread.shutdown(wait=False)
        return look

    def _refused(self) -> str:
        if self._failed >= MOST_FAILED:
            return "the guard has not answered before"
        if self._budget is not None and self._budget.left_usd <= 0.0:
            return "the incident's dollars are spent"
        return "" if self._left() > 0 else "the time for it is over"

    def _left(self) -> float:
        now = self._clock()
        waited = self._waited + (now - self._waiting_since if self._waiting else 0.0)
        return min(self._seconds - (now - self.started), MOST_OF_SECONDS * self._seconds - waited)

    def _noted(self, key: tuple[Direction, str], findings: Findings) -> Findings:
        """Keep how a look ended, by whoever waited for it and was the first to know."""
        with self._lock:
            self._waiting -= 1
            if not self._waiting:
                self._waited += self._clock() - self._waiting_since
            if key not in self._ended:
                self._ended[key] = findings
                self._failed = self._failed + 1 if UNSCANNED in findings.flags else 0
                self._charge(findings.use)
            return self._ended[key]

    def _charge(self, use: GuardUse) -> None:
        usd = self._prices.of(use)
        self._spend += Spend(guard_calls=use.calls, guard_units=use.units, usd=usd)
        if self._budget is not None:
            self._budget.charge(Spend(usd=usd))
