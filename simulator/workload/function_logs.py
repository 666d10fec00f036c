"""What a function leaves in its log group: the platform's lines and its own, one stream for each environment.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import md5
from math import ceil
from random import Random
from string import Template

from simulator.clock import iso
from simulator.logs.store import LogStore
from simulator.workload.flow import TICK_SECONDS
from simulator.workload.functions import Invocation, Work
from simulator.world import FunctionWorld, LogOccasion, LogTemplate

USED_MB = 0.42


@dataclass(frozen=True)
class FunctionLogWriter:
    """Writes each invocation's lines. Far back in the history, where ticks are longer, only of some."""

    logs: LogStore
    random: Random

    def write(self, work: Work) -> None:
        """The lines of one function's tick."""
        share = TICK_SECONDS / work.seconds
        for invocation in work.invocations:
            if share < 1 and self.random.random() >= share:
                continue
            at = datetime.fromtimestamp(invocation.at, UTC)
            request = self._request_id()
            stream = _stream(work.function, invocation, at)
            for moment, message in self._lines(work.function, invocation, at, request):
                self.logs.append(work.function.log_group, stream, moment, message)

    def _lines(
        self, function: FunctionWorld, invocation: Invocation, at: datetime, request: str
    ) -> Iterator[tuple[datetime, str]]:
        took = timedelta(milliseconds=invocation.duration_ms)
        yield at, f"START RequestId: {request} Version: {invocation.code.version}\n"
        for template in self._templates(function, invocation):
            moment = at + took * self.random.uniform(0.2, 0.9)
            yield moment, self._filled(template, function, invocation, moment, request)
        if invocation.is_timed_out:
            seconds = invocation.duration_ms / 1000
            yield at + took, f"{iso(at + took)} {request} Task timed out after {seconds:.2f} seconds\n\n"
        yield at + took, f"END RequestId: {request}\n"
        used = ceil(invocation.code.memory_mb * USED_MB) + self.random.randrange(6)
        yield (
            at + took,
            f"REPORT RequestId: {request}\tDuration: {invocation.duration_ms:.2f} ms\t"
            f"Billed Duration: {ceil(invocation.duration_ms)} ms\tMemory Size: {invocation.code.memory_mb} MB\t"
            f"Max Memory Used: {used} MB\t\n",
        )

    def _templates(self, function: FunctionWorld, invocation: Invocation) -> Iterator[LogTemplate]:
        own = [*invocation.release.logs, *function.logs]
        if invocation.is_timed_out:
            occasion = None
        elif invocation.poison is not None:
            occasion = LogOccasion.POISON
        else:
            occasion = LogOccasion.ERROR if invocation.is_failed else LogOccasion.REQUEST
        # A release's own words for an error stand instead of the function's.
        told = [one for one in invocation.release.logs if one.on is occasion] or own
        for template in told:
            if template.on is occasion and self.random.random() < template.share:
                yield template

    def _filled(
        self,
        template: LogTemplate,
        function: FunctionWorld,
        invocation: Invocation,
        at: datetime,
        request: str,
    ) -> str:
        fields = {
            "time": iso(at),
            "service": function.name,
            "request_id": request,
            "order_id": f"ord-{self.random.getrandbits(28):07x}",
            "messages": str(invocation.messages),
            "duration_ms": f"{invocation.duration_ms:.0f}",
            "queue": function.consumes,
        }
        if invocation.poison is not None:
            fields |= {
                "message_id": invocation.poison.id,
                "receives": str(invocation.poison.receives),
                "body": invocation.poison.body or "",
            }
        fields |= {name: self.random.choice(values) for name, values in template.fields.items()}
        return Template(template.text).safe_substitute(fields)

    def _request_id(self) -> str:
        bits = self.random.getrandbits
        return f"{bits(32):08x}-{bits(16):04x}-5{bits(12):03x}-a{bits(12):03x}-{bits(48):012x}"


def _stream(function: FunctionWorld, invocation: Invocation, at: datetime) -> str:
    """`2026/11/23/[8]` and 32 digits: environments live for some two hours, one for each lane."""
    version = invocation.code.version
    environment = f"{function.name}/{version}/{invocation.lane}/{at:%Y-%m-%d}/{at.hour // 2}"
    return f"{at:%Y/%m/%d}/[{version}]{_digest(environment)}"


@lru_cache(maxsize=256)
def _digest(environment: str) -> str:
    return md5(environment.encode(), usedforsecurity=False).hexdigest()
