"""Everything that is read around an alarm, started side by side and taken in turn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from memory.records.config import Service
from memory.records.evidence import Evidence
from tools.analysis.changes import changes_of
from tools.collectors.functions import look_at_concurrency, look_at_consumers
from tools.collectors.logs import look_at_size, look_before, look_since
from tools.collectors.neighbours import has_neighbours, look_at_neighbours
from tools.collectors.parts import look_at_queue_metrics, look_at_service
from tools.collectors.readable import facts_in, is_readable
from tools.collectors.running import Collecting, Running
from tools.collectors.series import MINUTES
from tools.observe.get_metric import GetMetric
from tools.observe.log_cost import GroupSize
from tools.observe.parameter_history import ParameterHistory, parameter_history
from tools.observe.service_health import ServiceHealth, service_health
from tools.observe.sources import Sources
from tools.observe.stopped_tasks import StoppedTasks, stopped_tasks
from tools.observe.table_health import TableHealth, table_health
from tools.observe.what_changed import WhatChanged, what_changed

# Of more parameters than these that were changed, the values are not read.
PARAMETERS = 5
Reading = Running[Evidence]


@dataclass
class Around:
    """What runs without the onset, by part, and what it is about."""

    sources: Sources
    collecting: Collecting
    near: Sequence[Service]
    tables: tuple[str, ...]
    queues: tuple[str, ...]
    seen: list[str] = field(default_factory=list)
    _running: dict[tuple[str, str], Reading] = field(default_factory=dict)
    _sizes: dict[str, Running[GroupSize | None]] = field(default_factory=dict)

    def begin(self) -> None:
        """Start all that does not need the onset."""
        sources = self.sources
        self._start("changes", "", "changes in the account", self._read_changes)
        for service in self.near:
            self._begin_service(service)
            group = service.log_group
            if group:
                size = partial(look_at_size, sources, group)
                self._sizes[group] = self.collecting.start(size, f"size of {group}")
        for table in self.tables:
            asked = TableHealth(table=table, minutes=MINUTES)
            self._start("table", table, f"table {table}", partial(table_health, sources, asked))
        for queue in self.queues:
            self._start("queue", queue, f"queue {queue}", partial(look_at_queue_metrics, sources, queue))
            consumers = partial(look_at_consumers, sources, queue)
            self._start("consumers", queue, f"consumers of {queue}", consumers)

    @property
    def parts(self) -> set[str]:
        """Return the names of all parts that are looked at."""
        return {*(service.name for service in self.near), *self.tables, *self.queues}

    def _read_changes(self) -> Evidence:
        """Read what was changed, and at once go on to the values of the parameters that were."""
        evidence = what_changed(self.sources, WhatChanged(minutes=MINUTES))
        told = facts_in(evidence).get("changes", [])
        names = dict.fromkeys(one.setting for one in changes_of(told, self.parts, "") if one.setting)
        for name in list(names)[:PARAMETERS]:
            asked = ParameterHistory(name=name)
            self._start("values", name, f"values of {name}", partial(parameter_history, self.sources, asked))
        return evidence

    def _begin_service(self, service: Service) -> None:
        sources, name = self.sources, service.name
        self._start("metrics", name, f"metrics of {name}", partial(look_at_service, sources, service))
        if service.cluster:
            health = ServiceHealth(cluster=service.cluster, service=name)
            self._start("ecs", name, f"deployments of {name}", partial(service_health, sources, health))
            tasks = StoppedTasks(cluster=service.cluster, service=name)
            self._start("stops", name, f"stopped tasks of {name}", partial(stopped_tasks, sources, tasks))
        else:
            limit = partial(look_at_concurrency, sources, name)
            self._start("limit", name, f"concurrency of {name}", limit)

    def begin_neighbours(self, metric: GetMetric | None) -> None:
        """Start the reading of what else is published of the resource that the alarm watches."""
        if metric is not None and has_neighbours(metric):
            look = partial(look_at_neighbours, self.sources, metric)
            self._start("neighbours", "", f"neighbours of {metric.metric_name}", look)

    def begin_logs(self, onset: datetime) -> None:
        """Start the reading of logs on either side of the onset."""
        for service in self.near:
            group, what = service.log_group, f"logs of {service.name}"
            if group:
                size = self._sizes[group].future.result
                for kind, look in (("calm", look_before), ("since", look_since)):
                    self._start(kind, service.name, what, partial(look, self.sources, group, onset, size))

    def _start(self, kind: str, part: str, what: str, read: Callable[[], Evidence]) -> None:
        self._running[kind, part] = self.collecting.start(read, what)

    def taken(self, kind: str, part: str) -> Evidence | None:
        """Return what was read of a part, or None where it was not, was late, or could not be read."""
        running = self._running.get((kind, part))
        evidence = self.collecting.take(running) if running else None
        if evidence is None:
            return None
        self.seen.append(evidence.evidence_id)
        if not is_readable(evidence) and running is not None:
            self.collecting.missing.append(running.what)
            return None
        return evidence
