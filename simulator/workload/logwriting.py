"""The log lines that a tick leaves behind, from the templates of the service and of its releases."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from string import Template

from simulator.clock import iso
from simulator.logs.store import LogStore
from simulator.workload.chance import counted, rounded
from simulator.workload.flow import TICK_SECONDS, Flow
from simulator.workload.spread import SPREAD
from simulator.world import LogOccasion, LogTemplate, Release

MOST_LINES = 12
_ERRORS = frozenset(
    {
        LogOccasion.ERROR,
        LogOccasion.OVERLOAD,
        LogOccasion.DEPENDENCY,
        LogOccasion.THROTTLE,
        LogOccasion.READ_THROTTLE,
        LogOccasion.TIMEOUT,
        LogOccasion.EXTERNAL,
    }
)


@dataclass(frozen=True)
class LogWriter:
    """Writes into the services' log groups, one stream for each task, as the awslogs driver does."""

    logs: LogStore
    random: Random

    def write(self, flow: Flow) -> None:
        """The lines of one service's tick."""
        if not flow.running.tasks:
            return
        lines = [
            (self._moment(flow), template)
            for template, happenings in self._occasions(flow)
            for _ in range(min(MOST_LINES, happenings))
        ]
        for at, template in sorted(lines, key=lambda line: line[0]):
            task, _ = self.random.choice(self._speakers(flow, template))
            stream = f"{flow.service.container}/{flow.service.container}/{task}"
            message = Template(template.text).safe_substitute(self._fields(flow, template, at, task))
            self.logs.append(flow.service.log_group, stream, at, message)

    def _occasions(self, flow: Flow) -> Iterator[tuple[LogTemplate, int]]:
        releases = flow.running.releases
        unexplained = 1.0
        for release in {id(one): one for one in releases}.values():
            share = sum(one is release for one in releases) / len(releases)
            failing = _share_of_errors(release, releases)
            for template in release.logs:
                yield template, self._lines(flow, template, failing if template.on in _ERRORS else share)
            if any(template.on is LogOccasion.ERROR for template in release.logs):
                unexplained -= failing
        for template in flow.service.logs:
            # A release that words its errors itself leaves only the others' to the service's words.
            weight = unexplained if template.on is LogOccasion.ERROR else 1.0
            yield template, self._lines(flow, template, max(0.0, weight))
        for template in (template for flag in flow.flags for template in flag.logs):
            yield template, self._lines(flow, template, 1.0)

    def _lines(self, flow: Flow, template: LogTemplate, weight: float) -> int:
        if template.on is LogOccasion.ALWAYS:
            return rounded(self.random, template.per_minute * weight * TICK_SECONDS / 60)
        if template.on is LogOccasion.BATCH:
            return rounded(self.random, 6 * template.share) if flow.batch_cpu else 0
        # Of a longer tick, far back in the history, as many lines are kept as of a usual one.
        kept = template.share * weight * TICK_SECONDS / flow.seconds
        return counted(self.random, happenings(flow, template.on), kept)

    def _moment(self, flow: Flow) -> datetime:
        return flow.at + timedelta(milliseconds=self.random.randrange(flow.seconds * 1000))

    def _speakers(self, flow: Flow, template: LogTemplate) -> list[tuple[str, Release]]:
        own = [one for one in flow.running.tasks if any(template is words for words in one[1].logs)]
        return own or list(flow.running.tasks)

    def _fields(self, flow: Flow, template: LogTemplate, at: datetime, task: str) -> dict[str, str]:
        factor = self.random.choices([one for one, _ in SPREAD], [share for _, share in SPREAD])[0]
        bits = self.random.getrandbits
        fields = {
            "time": iso(at),
            "service": flow.service.name,
            "task": task[:12],
            "request_id": f"{bits(32):08x}-{bits(16):04x}-4{bits(12):03x}-a{bits(12):03x}-{bits(48):012x}",
            "trace_id": f"1-{int(at.timestamp()):08x}-{bits(96):024x}",
            "order_id": f"ord-{bits(28):07x}",
            "duration_ms": f"{flow.latency_ms * factor:.0f}",
        }
        fields |= {name: self.random.choice(values) for name, values in template.fields.items()}
        if flow.service.calls:
            fields["dependency"] = self.random.choice(flow.service.calls).service
        if flow.service.reads:
            fields["read_table"] = self.random.choice(flow.service.reads).table
        if flow.service.writes:
            fields["table"] = self.random.choice(flow.service.writes).table
        if flow.failing_external:
            fields["external"] = flow.failing_external
        return fields


def happenings(flow: Flow, occasion: LogOccasion) -> int:
    """How often an occasion came up in a tick."""
    return {
        LogOccasion.REQUEST: flow.requests - flow.errors,
        LogOccasion.ERROR: flow.own_errors,
        LogOccasion.THROTTLE: flow.failed_writes,
        LogOccasion.READ_THROTTLE: flow.failed_reads,
        LogOccasion.OVERLOAD: flow.overloaded,
        LogOccasion.DEPENDENCY: flow.dependency_errors,
        LogOccasion.TIMEOUT: flow.timeouts,
        LogOccasion.EXTERNAL: flow.external_errors,
    }[occasion]


def _share_of_errors(release: Release, releases: list[Release]) -> float:
    """The share of the service's own errors that comes from the tasks of one release."""
    total = sum(one.error_share for one in releases)
    own = sum(one.error_share for one in releases if one is release)
    return own / total if total else 0.0
