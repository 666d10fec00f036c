"""What the account has been given of each quota."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.quotas.catalogue import CONCURRENT_EXECUTIONS, FARGATE_VCPUS, Quota
from simulator.world import QuotaWorld


@dataclass(frozen=True)
class AppliedQuotas:
    """The applied values: what the world states, else what an account usually has."""

    stated: dict[tuple[str, str], float] = field(default_factory=dict)

    def value(self, quota: Quota) -> float:
        """How much of a quota the account has."""
        usual = quota.default if quota.usual is None else quota.usual
        return self.stated.get(quota.key, usual)

    @property
    def concurrency(self) -> int:
        """How many invocations of all functions may run at once."""
        return int(self.value(CONCURRENT_EXECUTIONS))

    @property
    def vcpus(self) -> float:
        """How many vCPUs Fargate tasks may run on."""
        return self.value(FARGATE_VCPUS)


def applied(stated: Iterable[QuotaWorld]) -> AppliedQuotas:
    """The quotas of a world."""
    return AppliedQuotas({(one.service, one.code): one.value for one in stated})
