"""Whether a world holds together: every name that it uses is carried by something in it."""

from collections.abc import Iterable, Iterator

from botocore.exceptions import UnknownServiceError

from simulator.codedeploy.configs import PREDEFINED
from simulator.quotas.catalogue import CONCURRENT_EXECUTIONS, FARGATE_VCPUS, QUOTAS
from simulator.wire.protocol import operation_model
from simulator.world import ApiCall, Deploy, FunctionDeploy, ImageExpiry, ServiceWorld, World


def contradictions(world: World) -> Iterator[str]:
    """What of a world names nothing that exists, or contradicts itself."""
    yield from _services(world)
    yield from _functions(world)
    yield from _quotas(world)
    yield from _deploying(world)
    yield from _events(world)
    yield from _alarms(world)
    yield from _cycle(world)


def _services(world: World) -> Iterator[str]:
    services = {one.name for one in world.services}
    tables = {one.name for one in world.tables}
    images = {one.image for one in world.releases}
    for service in world.services:
        yield from _unknown(f"service {service.name} calls", (one.service for one in service.calls), services)
        yield from _unknown(
            f"service {service.name} writes to", (one.table for one in service.writes), tables
        )
        yield from _unknown(f"service {service.name} reads", (one.table for one in service.reads), tables)
        yield from _unknown(
            f"service {service.name} runs the undeclared release",
            (one.image for one in service.revisions),
            images,
        )
        yield from _outward(world, service)


def _outward(world: World, service: ServiceWorld) -> Iterator[str]:
    """What a service sends to, reaches and reads."""
    name, parameters = service.name, {one.name for one in world.parameters}
    queues, externals = {one.name for one in world.queues}, {one.name for one in world.externals}
    yield from _unknown(f"service {name} sends to", (one.queue for one in service.sends), queues)
    yield from _unknown(f"service {name} reaches", (one.external for one in service.reaches), externals)
    read = [
        *(one.timeout_parameter for one in service.calls),
        *(one.route_parameter for one in service.reaches),
        *(one.parameter for one in service.flags),
    ]
    yield from _unknown(f"service {name} reads the parameter", filter(None, read), parameters)


def _functions(world: World) -> Iterator[str]:
    """Functions and queues that name what is not there."""
    queues, images = {one.name for one in world.queues}, {one.image for one in world.releases}
    for function in world.functions:
        yield from _unknown(f"function {function.name} consumes", [function.consumes], queues)
        versions = (one.image for one in function.versions)
        yield from _unknown(f"function {function.name} runs the undeclared release", versions, images)
    for queue in world.queues:
        yield from _unknown(f"queue {queue.name} names", filter(None, [queue.dead_letter]), queues)
        if queue.dead_letter in queues and world.queue(queue.dead_letter).is_fifo != queue.is_fifo:
            yield f"queue {queue.name} and its dead-letter queue are not both FIFO or both standard"


def _quotas(world: World) -> Iterator[str]:
    """Quotas that nothing here keeps to, and what would be more than them from the beginning."""
    for one in world.quotas:
        if (one.service, one.code) not in QUOTAS:
            known = ", ".join(f"{service} {code}" for service, code in QUOTAS)
            yield f"quota {one.service} {one.code} is none that the account keeps to: {known}"
    stated = {(one.service, one.code): one.value for one in world.quotas}
    needed = sum(one.desired * float(one.cpu_units) / 1024 for one in world.services)
    vcpus = stated.get(FARGATE_VCPUS.key)
    if vcpus is not None and needed > vcpus:
        yield f"the services need {needed:g} vCPUs, and the quota is {vcpus:g}"
    reserved = sum(one.reserved_concurrency or 0 for one in world.functions)
    concurrency = stated.get(CONCURRENT_EXECUTIONS.key, CONCURRENT_EXECUTIONS.default)
    if reserved > concurrency:
        yield f"functions reserve {reserved} executions at once, and the quota is {concurrency:g}"


def _deploying(world: World) -> Iterator[str]:
    """Deployment groups and deployments through CodeDeploy that name what is not there."""
    alarms = {one.name for one in world.alarms}
    groups = {f"{one.name}/{group.name}" for one in world.applications for group in one.groups}
    configs = {*PREDEFINED, *(one.name for one in world.deployment_configs)}
    for application in world.applications:
        for group in application.groups:
            yield from _unknown(f"deployment group {group.name} watches", group.alarms, alarms)
            yield from _unknown(f"deployment group {group.name} shifts by", [group.config], configs)
    for event in world.events:
        through = event.through if isinstance(event, FunctionDeploy) else None
        if through is not None:
            named = [f"{through.application}/{through.group}"]
            yield from _unknown(f"event {event.kind} goes through", named, groups)
            yield from _unknown(f"event {event.kind} shifts by", filter(None, [through.config]), configs)


def _events(world: World) -> Iterator[str]:
    """Events that name what is not there."""
    images = {one.image for one in world.releases}
    known = {
        "service": {one.name for one in world.services},
        "function": {one.name for one in world.functions},
        "external": {one.name for one in world.externals},
        "queue": {one.name for one in world.queues},
    }
    for event in world.events:
        if isinstance(event, ApiCall):
            yield from _operation(event)
            continue
        for kind, names in known.items():
            yield from _unknown(
                f"event {event.kind} names", filter(None, [getattr(event, kind, None)]), names
            )
        if isinstance(event, Deploy | FunctionDeploy | ImageExpiry):
            yield from _unknown(f"event {event.kind} names the undeclared release", [event.image], images)


def _operation(event: ApiCall) -> Iterator[str]:
    try:
        model = operation_model(event.service, event.operation)
    except UnknownServiceError:
        yield f"event call names the service {event.service!r}, which AWS does not have"
        return
    if model is None:
        yield f"event call names {event.operation!r}, which {event.service} does not have"


def _alarms(world: World) -> Iterator[str]:
    """Alarms that belong to nobody, or tell nobody."""
    owners = {one.name for one in world.services} | {one.name for one in world.functions}
    for alarm in world.alarms:
        yield from _unknown(f"alarm {alarm.name} belongs to", [alarm.service], owners)
        yield from _unknown(f"alarm {alarm.name} notifies", filter(None, [alarm.notifies]), set(world.topics))


def _cycle(world: World) -> Iterator[str]:
    """A circle of services that call each other has no first cause."""
    waiting = {one.name: {call.service for call in one.calls} for one in world.services}
    while waiting:
        ready = [name for name, callees in waiting.items() if not callees & waiting.keys()]
        if not ready:
            yield f"the services {', '.join(sorted(waiting))} call each other in a circle"
            return
        for name in ready:
            del waiting[name]


def _unknown(what: str, names: Iterable[str], known: set[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{what} {name!r}, which is not in this world"
