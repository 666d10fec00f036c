"""The services outside AWS's endpoints that may be called: one base URL and one list of hosts each."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from memory.records.base import Record
from tools.errors import Misconfigured

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
FILE = "settings/outward.toml"


def _host_pattern(pattern: str) -> str:
    labels = pattern.lower().split(".")
    if len(labels) < 2 or not all(labels) or "*" in "".join(labels[-2:]):
        raise ValueError(f"{pattern!r} names no host: its last two labels are written out")
    if any("*" in label and label != "*" for label in labels):
        raise ValueError(f"in {pattern!r} a * stands for a whole label")
    return pattern.lower()


class OutwardService(Record):
    """Where a service is, and which hosts its URLs may name."""

    base_url: str = ""
    allowed_hosts: tuple[Annotated[str, AfterValidator(_host_pattern)], ...] = ()

    def allows(self, host: str) -> bool:
        """Say whether a host is on the list, label by label."""
        labels = host.lower().split(".")
        return any(_fits(pattern.split("."), labels) for pattern in self.allowed_hosts)


def _fits(pattern: list[str], labels: list[str]) -> bool:
    pairs = zip(pattern, labels, strict=False)
    return len(pattern) == len(labels) and all(want in {"*", label} for want, label in pairs)


class Outward(Record):
    """Every service outside AWS's endpoints."""

    langsmith: OutwardService = Field(default_factory=OutwardService)
    langgraph_server: OutwardService = Field(default_factory=OutwardService)
    token_issuers: OutwardService = Field(default_factory=OutwardService)

    def url_of(self, name: str, url: str = "", *, simulated: bool) -> str:
        """Return a service's URL, or its base URL, as it may be called; raise `Misconfigured` with the remedy.

        This machine is a service's host only while the account is simulated.
        """
        service: OutwardService = getattr(self, name)
        asked = url or service.base_url
        parts = urlsplit(asked)
        host = parts.hostname or ""
        if not host or parts.username is not None or parts.scheme not in {"http", "https"}:
            raise Misconfigured(f"{asked!r} is no URL of {name}: write it as https://host/path in {FILE}")
        if host in LOOPBACK:
            if not simulated:
                raise Misconfigured(
                    f"{asked} of {name} is on this machine, which serves the simulated account only: "
                    f"name a host that [{name}] of {FILE} allows"
                )
            return asked
        if parts.scheme != "https":
            raise Misconfigured(f"{asked} of {name} is not encrypted: use https")
        if not service.allows(host):
            raise Misconfigured(
                f"{host} is not a host of {name}: add it to allowed_hosts of [{name}] in {FILE}"
            )
        return asked
