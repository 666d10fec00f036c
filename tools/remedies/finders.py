"""Which remedies answer which kind of cause."""

from collections.abc import Callable, Iterator, Mapping

from memory.records.assessment import CauseKind, Hypothesis
from memory.records.plan import Considered, PlannedAction
from tools.analysis.causes.quotas import CODE
from tools.remedies.functions import earlier_version, is_function, more_concurrency
from tools.remedies.outside import done_without
from tools.remedies.place import Place
from tools.remedies.quotas import no_more
from tools.remedies.services import another_task, earlier_revision, fresh_tasks, more_tasks
from tools.remedies.stores import earlier_value, more_capacity, put_aside

Found = Iterator[PlannedAction | Considered]

MEMORY = "memory"
"""How the analysis names memory as what a service is short of."""


def remedies(place: Place, cause: Hypothesis) -> Found:
    """Yield what answers a cause, the best first, and what was looked at and left."""
    yield from _FINDERS.get(cause.kind, _nothing)(place, cause)


def _deployment(place: Place, cause: Hypothesis) -> Found:
    service = place.topology.service(cause.component)
    if service is not None and service.cluster is not None:
        yield from earlier_revision(place, service, cause)
    elif is_function(place, cause.component):
        yield from earlier_version(place, cause)
    else:
        yield _unknown(cause)


def _capacity(place: Place, cause: Hypothesis) -> Found:
    if CODE.fullmatch(cause.component):
        yield from no_more(cause)
        return
    service = place.topology.service(cause.component)
    if service is not None and service.cluster is not None:
        short_of_memory = cause.change == MEMORY
        yield from fresh_tasks(place, service) if short_of_memory else more_tasks(place, service)
    elif is_function(place, cause.component):
        yield from more_concurrency(place, cause.component)
    else:
        yield from more_capacity(place, cause)


def _configuration(place: Place, cause: Hypothesis) -> Found:
    if "/" in cause.component:
        yield from earlier_value(place, cause)
    elif is_function(place, cause.component):
        yield from more_concurrency(place, cause.component)
    else:
        yield _unknown(cause)


def _message(place: Place, cause: Hypothesis) -> Found:
    yield from put_aside(place, cause.component)


def _traffic(place: Place, cause: Hypothesis) -> Found:
    service = place.topology.service(cause.component)
    if service is None or service.cluster is None:
        yield _unknown(cause)
    else:
        yield from more_tasks(place, service)


def _dependency(place: Place, cause: Hypothesis) -> Found:
    yield from done_without(place, cause.component)


def _task(place: Place, cause: Hypothesis) -> Found:
    service = place.topology.service(cause.component)
    if service is None or service.cluster is None:
        yield _unknown(cause)
    else:
        yield from another_task(place, service, cause)


def _nothing(_: Place, cause: Hypothesis) -> Found:
    yield Considered(action="", why_not=f"no change answers a cause of the kind {cause.kind.value}")


def _unknown(cause: Hypothesis) -> Considered:
    why = f"{cause.component} is no service, function, table, queue or parameter that can be changed"
    return Considered(action="", why_not=why)


OFFERED: Mapping[str, str] = {
    "ecs_rollback_service": "a deployment of an ECS service",
    "ecs_force_new_deployment": "tasks short of memory, or a deployment without an earlier revision",
    "ecs_stop_task": "one task of several that is ill",
    "ecs_set_desired_count": "more traffic than a service's tasks can take",
    "codedeploy_stop": "a version that CodeDeploy is still moving a function's alias to",
    "lambda_shift_alias": "a version of a function",
    "lambda_set_reserved_concurrency": "a function that may run too seldom at once",
    "dynamodb_set_write_capacity": "a table with too few write units",
    "dynamodb_set_read_capacity": "a table with too few read units",
    "ssm_run_document": "a table that needs more than a plan may set, where the team lists a document for it",
    "sqs_quarantine_poison": "a message that its consumer cannot read",
    "sqs_redrive": "dead letters of a function that works again, where its version or reservation is to blame no more",
    "ssm_revert_parameter": "a parameter that was changed",
    "ssm_set_allowed_value": "a system outside the account that the topology declares a switch for",
}
"""Which actions code offers, and for which causes. No evidence leads to any other."""

_FINDERS: dict[CauseKind, Callable[[Place, Hypothesis], Found]] = {
    CauseKind.DEPLOYMENT: _deployment,
    CauseKind.CAPACITY: _capacity,
    CauseKind.CONFIGURATION: _configuration,
    CauseKind.MESSAGE: _message,
    CauseKind.TRAFFIC: _traffic,
    CauseKind.DEPENDENCY: _dependency,
    CauseKind.TASK: _task,
}
