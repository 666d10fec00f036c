"""Everything that is read around an alarm, started side by side and taken in turn."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Concatenate, ParamSpec

from memory.records.assessment import Learned
from memory.records.config import Service
from memory.records.evidence import Evidence
from tools.analysis.changes import changes_of
from tools.analysis.neighbourhood import around
from tools.analysis.tags import learned_of, left_open, with_learned
from tools.collectors.dead_letters import look_at_dead_letters
from tools.collectors.functions import look_at_concurrency, look_at_consumers
from tools.collectors.lines import lines_before, lines_since
from tools.collectors.logs import Size, look_before, look_since
from tools.collectors.neighbours import has_neighbours, look_at_neighbours
from tools.collectors.parts import (
    lacks_errors,
    look_at_errors,
    look_at_queue_metrics,
    look_at_service,
    wanted_of,
)
from tools.collectors.quotas import (
    Watched,
    is_refused,
    look_at_busiest,
    look_at_quota,
    look_at_usage,
    watched_of,
)
from tools.collectors.readable import facts_in, is_in_part, is_readable
from tools.collectors.running import Collecting, Running
from tools.collectors.series import MINUTES, incomplete_in
from tools.collectors.sizes import look_at_size, size_in
from tools.collectors.tags import (
    AT_ONCE,
    look_at_function_tags,
    look_at_service_tags,
    tags_in,
    unusable_in,
)
from tools.observe.code_deployments import CodeDeployments, code_deployments
from tools.observe.get_metric import GetMetric
from tools.observe.parameter_history import ParameterHistory, parameter_history
from tools.observe.service_health import ServiceHealth, service_health
from tools.observe.sources import Sources
from tools.observe.stopped_tasks import StoppedTasks, stopped_tasks
from tools.observe.table_health import TableHealth, table_health
from tools.observe.what_changed import WhatChanged, what_changed

# Of more parameters than these that were changed, the rest are named and their values not read.
PARAMETERS = 5
# Of more services than these, the rest are named and not looked at.
SERVICES = 24
Reading = Running[Evidence]
P = ParamSpec("P")


@dataclass
class Around:
    """What runs without the onset, by part, and what it is about.

    `learned` is what tags say of a service, where settings do not say it.
    """

    sources: Sources
    collecting: Collecting
    near: Sequence[Service]
    tables: tuple[str, ...]
    queues: tuple[str, ...]
    seen: list[str] = field(default_factory=list)
    learned: dict[str, Learned] = field(default_factory=dict)
    watched: tuple[Watched, ...] = ()
    _running: dict[tuple[str, str], Reading] = field(default_factory=dict)
    _tagged: list[str] = field(default_factory=list)
    _taken: set[tuple[str, str]] = field(default_factory=set)

    def begin(self) -> None:
        """Start all that does not need the onset."""
        self._start("changes", "", "changes in the account", self._read_changes, MINUTES)
        asked = CodeDeployments(minutes=MINUTES)
        self._start("codedeploy", "", "CodeDeploy deployments", code_deployments, asked)
        self._begin_parts(self.near, self.tables, self.queues)
        self._begin_tags()
        self._begin_quotas()

    def _begin_parts(self, services: Iterable[Service], tables: Iterable[str], queues: Iterable[str]) -> None:
        for service in services:
            self._begin_service(service)
            group = service.log_group
            if group and ("size", group) not in self._running:
                self._start("size", group, f"size of {group}", look_at_size, group)
        for table in tables:
            asked = TableHealth(table=table, minutes=MINUTES)
            self._start("table", table, f"table {table}", table_health, asked)
        for queue in queues:
            self._start("queue", queue, f"queue {queue}", look_at_queue_metrics, queue)
            self._start("consumers", queue, f"consumers of {queue}", look_at_consumers, queue)
            self._start("dead", queue, f"dead letters of {queue}", look_at_dead_letters, queue)

    def _begin_tags(self) -> None:
        """Start the reading of the tags of those services of which settings leave something out, and of no other."""
        lacking = [service for service in self.near if left_open(service)]
        clusters = dict.fromkeys(service.cluster for service in lacking if service.cluster)
        for cluster in clusters:
            names = [service.name for service in lacking if service.cluster == cluster]
            for first in range(0, len(names), AT_ONCE):
                asked = tuple(names[first : first + AT_ONCE])
                self._begin_tagged(", ".join(asked), look_at_service_tags, cluster, asked)
        for service in lacking:
            if not service.cluster:
                self._begin_tagged(service.name, look_at_function_tags, service.name)

    def _begin_quotas(self) -> None:
        """Start the reading of the quotas that may hold the services back, and of how much of them is used."""
        self.watched = watched_of(self.near)
        for one in self.watched:
            self._start("quota", one.key, f"quota {one.key}", look_at_quota, one)
        if self.watched:
            self._start("usage", "", "usage of quotas", self._read_usage)

    def _read_usage(self, sources: Sources) -> Evidence:
        """Read how much is used, and go on to who uses it where functions are refused."""
        evidence = look_at_usage(sources, self.watched)
        if is_refused(evidence):
            self._start("busiest", "", "functions that run most often at once", look_at_busiest)
        return evidence

    def _begin_tagged(
        self, names: str, look: Callable[Concatenate[Sources, P], Evidence], *asked: P.args, **named: P.kwargs
    ) -> None:
        self._tagged.append(names)
        self._start("tags", names, f"tags of {names}", look, *asked, **named)

    def join_tags(self, onset: datetime) -> None:
        """Fill what settings leave out of services by their tags, and start to read what only tags say they call."""
        near: dict[str, Service] = {service.name: service for service in self.near}
        for names in self._tagged:
            evidence = self.taken("tags", names)
            if evidence is None:
                continue
            self.collecting.missing += unusable_in(evidence, self.near)
            for name, tags in tags_in(evidence).items():
                if name in near and (found := learned_of(near[name], tags, evidence.evidence_id)) is not None:
                    self.learned[name] = found
        if not self.learned:
            return
        topology = with_learned(self.sources.topology, self.learned.values())
        self._widen(around(topology, [topology.service(name) or one for name, one in near.items()]), onset)

    def _widen(self, near: Sequence[Service], onset: datetime) -> None:
        """Look also at the parts that came to be known only now."""
        self.collecting.missing += [f"service {service.name}" for service in near[SERVICES:]]
        near = near[:SERVICES]
        known = {service.name for service in self.near}
        services = [service for service in near if service.name not in known]
        tables = tuple(name for name in parts_of(near, "table") if name not in self.tables)
        queues = tuple(name for name in parts_of(near, "queue") if name not in self.queues)
        self.near, self.tables, self.queues = near, (*self.tables, *tables), (*self.queues, *queues)
        self._begin_parts(services, tables, queues)
        self._begin_logs(services, onset)

    @property
    def parts(self) -> set[str]:
        """Return the names of all parts that are looked at."""
        return {*(service.name for service in self.near), *self.tables, *self.queues}

    def _read_changes(self, sources: Sources, minutes: int) -> Evidence:
        """Read what was changed, and at once go on to the values of the parameters that were."""
        evidence = what_changed(sources, WhatChanged(minutes=minutes))
        told = facts_in(evidence).get("changes", [])
        names = dict.fromkeys(one.setting for one in changes_of(told, self.parts, "") if one.setting)
        for name in list(names)[:PARAMETERS]:
            asked = ParameterHistory(name=name)
            self._start("values", name, f"values of {name}", parameter_history, asked)
        self.collecting.missing += [f"values of {name}" for name in list(names)[PARAMETERS:]]
        return evidence

    def _begin_service(self, service: Service) -> None:
        name = service.name
        self._start("metrics", name, f"metrics of {name}", self._read_service, service)
        if service.cluster:
            health = ServiceHealth(cluster=service.cluster, service=name)
            self._start("ecs", name, f"deployments of {name}", service_health, health)
            tasks = StoppedTasks(cluster=service.cluster, service=name)
            self._start("stops", name, f"stopped tasks of {name}", stopped_tasks, tasks)
        else:
            self._start("limit", name, f"concurrency of {name}", look_at_concurrency, name)

    def _read_service(self, sources: Sources, service: Service) -> Evidence:
        """Read a service's metrics and, where its errors do not come, at once whether they ever do."""
        evidence, name = look_at_service(sources, service), service.name
        if lacks_errors(evidence, service):
            self._start("errors", name, f"errors of {name} on earlier days", look_at_errors, service)
        return evidence

    def begin_neighbours(self, metric: GetMetric | None) -> None:
        """Start the reading of what else is published of the resource that the alarm watches."""
        if metric is not None and has_neighbours(metric):
            what, known = f"neighbours of {metric.metric_name}", self._read_under(metric)
            self._start("neighbours", "", what, look_at_neighbours, metric, known)

    def _read_under(self, metric: GetMetric) -> list[str]:
        """Name the metrics of the same dimensions that are read of services."""
        read = (one for service in self.near for one in wanted_of(service).values())
        place = (metric.namespace, metric.dimensions)
        return [one.name for one in read if (one.namespace, dict(one.dimensions)) == place]

    def begin_logs(self, onset: datetime, own: Iterable[Service] = ()) -> None:
        """Start the reading of logs on either side of the onset; of its own services the ordinary lines, too."""
        self._begin_logs(self.near, onset)
        for service in own:
            group, what = service.log_group, f"ordinary log lines of {service.name}"
            if group and ("size", group) in self._running:
                size = self._size_of(group)
                for kind, look in (("usual", lines_before), ("ordinary", lines_since)):
                    self._start(kind, service.name, what, look, group, onset, size)

    def _begin_logs(self, services: Iterable[Service], onset: datetime) -> None:
        for service in services:
            group, what = service.log_group, f"logs of {service.name}"
            if group:
                size = self._size_of(group)
                for kind, look in (("calm", look_before), ("since", look_since)):
                    self._start(kind, service.name, what, look, group, onset, size)

    def _size_of(self, group: str) -> Size:
        """Return what waits for how large a log group is."""
        read = self._running["size", group].future.result
        return lambda: size_in(read())

    def _start(
        self,
        kind: str,
        part: str,
        what: str,
        look: Callable[Concatenate[Sources, P], Evidence],
        *asked: P.args,
        **named: P.kwargs,
    ) -> None:
        """Start one collector, with an allowance of its own."""
        allowed = self.sources.allowed()
        read = partial(look, allowed, *asked, **named)
        self._running[kind, part] = self.collecting.start(read, what, allowed.recorder.stop)

    def taken(self, kind: str, part: str) -> Evidence | None:
        """Return what was read of a part, or None where it was not, was late, or could not be read."""
        running = self._running.get((kind, part))
        self._taken.add((kind, part))
        evidence = self.collecting.take(running) if running else None
        if evidence is None:
            return None
        if kind == "size":
            # It says nothing of what broke, and every query that needs it names what could not be read without.
            return evidence
        self.seen.append(evidence.evidence_id)
        if not is_readable(evidence) and running is not None:
            self.collecting.miss(running.what)
            return None
        if running is not None and (is_in_part(evidence) or incomplete_in(evidence)):
            self.collecting.miss_rest(running.what)
        return evidence

    def take_rest(self) -> None:
        """Take what no finding was made of, so that it is cited and what is missing of it is named."""
        while rest := [key for key in list(self._running) if key not in self._taken]:
            for key in rest:
                self.taken(*key)


def parts_of(services: Iterable[Service], kind: str) -> tuple[str, ...]:
    """Return the names of what services call that is of a kind, sorted."""
    return tuple(sorted({part.name for one in services for part in one.depends_on if part.kind == kind}))
