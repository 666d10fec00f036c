"""The way to AWS for one collector: each call is told before it is made, and may be refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.aws.access import AwsAccess

Told = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class CountedAccess(AwsAccess):
    """Hands out the clients of another access; `told` hears of each call first and refuses it by an error."""

    whole: AwsAccess = field(kw_only=True)
    told: Told = field(kw_only=True)

    def client(self, service: str) -> Any:
        """Return a client of the service that tells of its calls."""
        return _Counted(self.whole.client(service), self.told)


def counted(access: AwsAccess, told: Told) -> CountedAccess:
    """Return the same access, of which each call is told first."""
    return CountedAccess(
        access.region,
        access.endpoint_url,
        access.access_key_id,
        access.secret_access_key,
        access.session_token,
        access.read_timeout_seconds,
        access.pool,
        whole=access,
        told=told,
    )


@dataclass(frozen=True)
class _Counted:
    """A client whose operations are told of. What would call unseen, a paginator or a waiter, is not handed out."""

    _client: Any
    _told: Told

    def __getattr__(self, name: str) -> Any:
        if name in {"get_paginator", "get_waiter"}:
            raise TypeError(f"{name} would make calls that nobody counts")
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def call(**asked: Any) -> Any:
            self._told(name, asked)
            return found(**asked)

        return call
