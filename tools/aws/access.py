"""The way to AWS: one set of credentials, one client for each service, one complete configuration."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.utils import parse_timestamp

from tools.aws.models import Models


@cache
def _models() -> Models:
    """Return what reads the services' models, which never change: once a process, not once a session."""
    return Models()


def moment_of(told: Any) -> datetime:
    """Return a moment that AWS tells: seconds since 1970, in UTC, or a text of one of botocore's forms.

    Of a number botocore makes a local time through dateutil, which takes thirty times as long, and a look at metrics
    holds thousands.
    """
    if isinstance(told, int | float):
        return datetime.fromtimestamp(told, UTC)
    return parse_timestamp(told)


@dataclass(frozen=True)
class AwsAccess:
    """Makes and keeps the clients of one account and region.

    Without an endpoint and keys, botocore's own chain finds them: that is AWS. With them it is the account on
    this machine; nothing else differs.
    """

    region: str
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    read_timeout_seconds: float = 20.0
    pool: int = 32
    _clients: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    @cached_property
    def _session(self) -> Any:
        """Return the botocore session, made at its first use: an access that asks nothing costs nothing."""
        session = botocore.session.Session()
        session.register_component("data_loader", _models())
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment_of)
        return session

    def client(self, service: str) -> Any:
        """Return the client of a service, made at its first use; threads may share it.

        It is botocore's own, which is what boto3 returns too, without boto3's imports and with one
        session's cache of endpoints for all services.
        """
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.create_client(
                    service,
                    region_name=self.region,
                    endpoint_url=self.endpoint_url,
                    aws_access_key_id=self.access_key_id,
                    aws_secret_access_key=self.secret_access_key,
                    aws_session_token=self.session_token,
                    config=self.config(),
                )
            return self._clients[service]

    @property
    def partition(self) -> str:
        """Name the partition that the region belongs to, such as `aws`."""
        return str(self._session.get_partition_for_region(self.region))

    def config(self) -> Config:
        """Return the one botocore configuration: every limit is stated, none is left to a default."""
        return Config(
            connect_timeout=5.0,
            read_timeout=self.read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=self.pool,
            tcp_keepalive=True,
            # Said once: botocore would put together what it says of itself anew for each call, from twenty parts.
            user_agent=self._session.user_agent(),
            inject_host_prefix=False if self.endpoint_url else None,
            user_agent_extra="cloudops-copilot",
            s3={"addressing_style": "path"} if self.endpoint_url else None,
        )
