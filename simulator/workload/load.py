"""How many requests come to the front door, and what is laid upon services, at a moment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.world import Batch, Event, Outage, Silence, Slowdown, Traffic, TrafficChange

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Load:
    """The load declared by a world, dated from the account's start."""

    traffic: Traffic
    events: Sequence[Event]
    start: datetime

    def requests_per_minute(self, at: datetime) -> float:
        """Requests at the front door, without noise."""
        phase = (at - self.start - self.traffic.peak) / DAY
        wave = 1 + self.traffic.daily_swing * math.cos(2 * math.pi * phase)
        factor = math.prod(
            _traffic_factor(event, at - self.start)
            for event in self.events
            if isinstance(event, TrafficChange)
        )
        return self.traffic.requests_per_minute * wave * factor

    def batch_cpu(self, service: str, at: datetime) -> float:
        """Percentage points of CPU that jobs beside the requests take."""
        return sum(
            event.cpu_percent
            for event in self.events
            if isinstance(event, Batch) and event.service == service and _is_running(event, at - self.start)
        )

    def slowdown(self, service: str, at: datetime) -> tuple[float, float]:
        """Latency factor and error share that come from nowhere the account shows."""
        latency, errors = 1.0, 0.0
        for event in self.events:
            if isinstance(event, Slowdown) and event.service == service and self._is_on(event, at):
                latency *= event.latency_factor
                errors = 1 - (1 - errors) * (1 - event.error_share)
        return latency, errors

    def outage(self, external: str, at: datetime) -> tuple[float, float]:
        """Error share of the calls to an external system, and the milliseconds that each takes longer."""
        errors, latency = 0.0, 0.0
        for event in self.events:
            if isinstance(event, Outage) and event.external == external and self._is_on(event, at):
                errors = 1 - (1 - errors) * (1 - event.error_share)
                latency += event.latency_ms
        return errors, latency

    def silence(self, service: str, at: datetime) -> tuple[bool, bool]:
        """Whether a service's own metrics, and whether its log lines, have stopped coming."""
        on = [
            event
            for event in self.events
            if isinstance(event, Silence) and event.service == service and self._is_on(event, at)
        ]
        return any(event.metrics for event in on), any(event.logs for event in on)

    def _is_on(self, event: Slowdown | Outage | Silence, at: datetime) -> bool:
        since = at - self.start - event.at
        return since >= timedelta(0) and (event.lasts is None or since < event.lasts)


def _traffic_factor(event: TrafficChange, since_start: timedelta) -> float:
    since = since_start - event.at
    if since <= timedelta(0):
        return 1.0
    climbed = min(1.0, since / event.ramp) if event.ramp else 1.0
    if event.lasts is not None and since > event.lasts:
        fallen = min(1.0, (since - event.lasts) / event.ramp) if event.ramp else 1.0
        climbed *= 1 - fallen
    return 1 + (event.factor - 1) * climbed


def _is_running(event: Batch, since_start: timedelta) -> bool:
    since = since_start - event.at
    if since < timedelta(0):
        return False
    return (since % event.every if event.every else since) < event.lasts
