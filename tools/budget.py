"""What one incident may still spend: dollars on reads and models together, and bytes that its log queries scan."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from memory.records.config import GIGABYTE, Limits, ReadPrices
from memory.records.spend import Spend


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

    def reserve(self, estimated: int, fitting: Callable[[int], int]) -> int | None:
        """Set bytes aside for a log query; None when it may not run.

        A query that is estimated at more than may be scanned is handed to `fitting` with that most: it returns how
        much a smaller query would scan, or 0 when none makes sense.
        """
        with self._lock:
            most = min(self.limits.query_bytes_scanned, self._left_bytes())
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
        left = self.limits.logs_bytes_scanned - spent
        if self.prices.logs_scanned_gb_usd > 0:
            left = min(left, int(self._left_usd() / self.prices.logs_scanned_gb_usd * GIGABYTE))
        return max(0, left - self._reserved)
