"""The way to AWS for calls that change something: botocore never sends one of them twice."""

import threading
from dataclasses import dataclass, replace

from botocore.config import Config

from tools.aws.access import AwsAccess


@dataclass(frozen=True)
class UnrepeatedAccess(AwsAccess):
    """Access whose clients do not retry, since a lost answer is no proof that nothing happened."""

    def config(self) -> Config:
        """Return the one configuration, with a single attempt."""
        return super().config().merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


def unrepeated(access: AwsAccess) -> UnrepeatedAccess:
    """Return the same way to the same account, without retries and with clients of its own."""
    own = replace(access, _clients={}, _lock=threading.Lock())
    return UnrepeatedAccess(**vars(own))
