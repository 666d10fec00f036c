"""What one incident may still spend: dollars on reads and models together, and bytes that its log queries scan."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from memory.records.config import GIGABYTE, Limits, ReadPrices
from memory.records.spend import Spend
from tools.errors import OverAllowance

# A query that runs is followed to its end, or ended: seconds and bytes of its own limit that.
_UNCOUNTED = {"get_query_results", "stop_query"}


@dataclass
class IncidentBudget:
    """The ledger of an incident's money, with its hard stop; safe to share between threads.

    `before` is what the incident had spent when this was made. Whoever starts something that is charged by its size
    reserves it first, so that reads at the same time cannot go over a limit together.
    """

    limits: Limits = field(default_factory=Limits)
    prices: ReadPrices = field(default_factory=ReadPrices)
    before: Spend = field(default_factory=Spend)
    _since: Spend = field(default_factory=Spend)
    _reserved: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def incident(self) -> "IncidentBudget":
        """Return the budget of the whole incident, of which others may still take what this one may not."""
        return self

    @property
    def spent_here(self) -> Spend:
        """Return what was spent since this was made."""
        with self._lock:
            return self._since

    @property
    def left_usd(self) -> float:
        """Return the dollars that may still be spent, never less than none."""
        with self._lock:
            return self._left_usd()

    @property
    def left_bytes(self) -> int:
        """Return how much log queries may still scan beside what is reserved."""
        with self._lock:
            return self._left_bytes()

    def charge(self, spend: Spend, reserved: int = 0) -> None:
        """Add what something has cost, in place of what was set aside for it."""
        with self._lock:
            self._since = self._since + spend
            self._reserved -= reserved

    def reserve(
        self, estimated: int, fitting: Callable[[int], int], allowed: int | None = None
    ) -> int | None:
        """Set bytes aside for a log query; None when it may not run.

        A query that is estimated at more than may be scanned is handed to `fitting` with that most: it returns how
        much a smaller query would scan, or 0 when none makes sense. `allowed` is what the asker may still scan,
        where that is less than the incident.
        """
        with self._lock:
            most = min(self.limits.query_bytes_scanned, self._left_bytes())
            most = most if allowed is None else min(most, allowed)
            taken = estimated if estimated <= most else min(fitting(most), most)
            if most <= 0 or (taken <= 0 < estimated):
                return None
            self._reserved += taken
            return taken

    def release(self, reserved: int) -> None:
        """Give back what was set aside for a query that has failed."""
        with self._lock:
            self._reserved -= reserved

    def may_scan(self, scanned: int, reserved: int) -> bool:
        """Say whether a query that was estimated at what is reserved may go on, having scanned so much."""
        with self._lock:
            within = scanned <= self.limits.query_bytes_scanned
            return within and scanned - reserved <= self._left_bytes()

    def _left_usd(self) -> float:
        return max(0.0, self.limits.incident_usd - self.before.usd - self._since.usd)

    def _left_bytes(self) -> int:
        spent = self.before.bytes_scanned + self._since.bytes_scanned
        left = self._most_bytes() - spent
        if self.prices.logs_scanned_gb_usd > 0:
            left = min(left, int(self._left_usd() / self.prices.logs_scanned_gb_usd * GIGABYTE))
        return max(0, left - self._reserved)

    def _most_bytes(self) -> int:
        return self.limits.logs_bytes_scanned


@dataclass
class Allowance(IncidentBudget):
    """What one collector may take of an incident's budget: calls, dollars, and bytes of logs.

    Whatever it takes is the incident's too, and where the incident has less left, that is what it may take.
    """

    whole: IncidentBudget = field(kw_only=True)
    _calls: int = 0
    _metrics: int = 0

    @property
    def incident(self) -> IncidentBudget:
        """Return the incident's budget."""
        return self.whole

    def told(self, operation: str, asked: Mapping[str, Any]) -> None:
        """Hear of a call before it is made; raises OverAllowance where it may not be."""
        if operation in _UNCOUNTED:
            return
        metrics = len(asked.get("MetricDataQueries", ()))
        most, left = self.limits.collector_calls, self.left_usd
        with self._lock:
            if self._calls >= most:
                raise OverAllowance(
                    f"Stopped before {operation}: one collector may make {most} calls.",
                    self._calls,
                    self._metrics,
                )
            if metrics * self.prices.metric_usd > left:
                why = f"its {metrics} metrics cost more than the ${left:.4f} that this collector may still spend"
                raise OverAllowance(f"Stopped before {operation}: {why}.", self._calls, self._metrics)
            self._calls += 1
            self._metrics += metrics

    @property
    def left_usd(self) -> float:
        """Return the dollars that may still be spent, here and in all; metrics count once they are asked for."""
        whole = self.whole.left_usd
        with self._lock:
            return min(whole, self._left_usd())

    @property
    def left_bytes(self) -> int:
        """Return how much log queries may still scan, here and in all."""
        whole = self.whole.left_bytes
        with self._lock:
            return min(whole, self._left_bytes())

    def charge(self, spend: Spend, reserved: int = 0) -> None:
        """Add what something has cost, here and to the incident."""
        super().charge(spend, reserved)
        self.whole.charge(spend, reserved)

    def reserve(
        self, estimated: int, fitting: Callable[[int], int], allowed: int | None = None
    ) -> int | None:
        """Set bytes aside for a log query, here and of the incident's; None when it may not run."""
        own = self.left_bytes
        taken = self.whole.reserve(estimated, fitting, own if allowed is None else min(own, allowed))
        if taken is not None:
            with self._lock:
                self._reserved += taken
        return taken

    def release(self, reserved: int) -> None:
        """Give back what was set aside for a query that has failed."""
        super().release(reserved)
        self.whole.release(reserved)

    def may_scan(self, scanned: int, reserved: int) -> bool:
        """Say whether a query may go on, by what is left here and in all."""
        return super().may_scan(scanned, reserved) and self.whole.may_scan(scanned, reserved)

    def _left_usd(self) -> float:
        scanned = self._since.bytes_scanned
        return max(0.0, self.limits.collector_usd - self.prices.of(scanned, self._metrics))

    def _most_bytes(self) -> int:
        return self.limits.collector_bytes_scanned
