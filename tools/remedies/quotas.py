"""What can be done about a quota of the account that is used up: nothing here, and people are told what they can do."""

from collections.abc import Iterator

from memory.records.assessment import Hypothesis
from memory.records.plan import Considered, PlannedAction
from tools.actions.ecs_desired_count import EcsSetDesiredCount
from tools.actions.lambda_concurrency import LambdaSetReservedConcurrency

Found = Iterator[PlannedAction | Considered]
_EXECUTIONS = "L-B99A9384"


def no_more(cause: Hypothesis) -> Found:
    """Say why nothing is offered: AWS alone raises a quota, and who is to have less of it is for people to decide.

    https://docs.aws.amazon.com/servicequotas/latest/userguide/request-quota-increase.html
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    raised = f"the quota {cause.component} is raised by AWS alone, when somebody asks for it through Service Quotas"
    yield Considered(action="", why_not=raised)
    if cause.component == _EXECUTIONS:
        why = (
            "a reservation would give one function what it takes from all others: which of them may wait is for "
            "those to decide who own them"
        )
        yield Considered(action=LambdaSetReservedConcurrency.name, why_not=why)
    else:
        why = "more tasks would not be placed; fewer of another service would make room, which its owners decide"
        yield Considered(action=EcsSetDesiredCount.name, why_not=why)
