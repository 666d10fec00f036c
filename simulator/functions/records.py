"""What the account's Lambda holds. Times are account time."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from random import Random
from uuid import NAMESPACE_URL, uuid5

from simulator.wire.protocol import ACCOUNT, REGION, AwsError

LATEST = "$LATEST"
ACCOUNT_CONCURRENCY = 1000
# What reservations must leave. Where an account has a small quota it is less; where that begins is not documented.
UNRESERVED_FLOOR = 100
SMALL_FLOOR = 10


@dataclass(frozen=True)
class Code:
    """One state of a function: $LATEST, or a published version, which never changes."""

    version: str
    image: str
    memory_mb: int
    timeout_seconds: int
    role: str
    modified_at: datetime
    description: str = ""
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def sha(self) -> str:
        """The digest of what would run."""
        return sha256(self.image.encode()).hexdigest()


@dataclass(frozen=True)
class Alias:
    """A name for a version; `weights` sends shares of the invocations to other versions."""

    name: str
    version: str
    description: str = ""
    weights: tuple[tuple[str, float], ...] = ()
    revision: int = 1


@dataclass(frozen=True)
class Mapping:
    """An event source mapping: a queue whose messages invoke a function."""

    id: str
    queue_arn: str
    function: str
    qualifier: str | None
    batch_size: int
    is_enabled: bool
    modified_at: datetime


@dataclass
class Function:
    """A function with all its versions."""

    name: str
    latest: Code
    versions: dict[str, Code] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    reserved: int | None = None
    next_version: int = 1
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The function's ARN, without a qualifier."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"

    def code(self, qualifier: str | None) -> Code:
        """The code behind a qualifier: a version, an alias, or $LATEST."""
        if qualifier in (None, LATEST):
            return self.latest
        alias = self.aliases.get(str(qualifier))
        version = alias.version if alias is not None else str(qualifier)
        if version == LATEST:
            return self.latest
        if version not in self.versions:
            raise not_found(f"{self.arn}:{qualifier}")
        return self.versions[version]

    def publish(self, at: datetime, description: str = "") -> Code:
        """The version that $LATEST is published as; the newest one again where nothing changed."""
        newest = self.versions.get(str(self.next_version - 1))
        if newest is not None and _same(newest, self.latest):
            return newest
        version = str(self.next_version)
        self.next_version += 1
        self.versions[version] = replace(
            self.latest, version=version, modified_at=at, description=description or self.latest.description
        )
        return self.versions[version]

    def invoked(self, qualifier: str | None, random: Random) -> Code:
        """The code that one invocation runs, drawn by the alias's weights."""
        alias = self.aliases.get(qualifier or "")
        if alias is None or not alias.weights:
            return self.code(qualifier)
        drawn = random.random()
        for version, weight in alias.weights:
            if drawn < weight:
                return self.code(version)
            drawn -= weight
        return self.code(alias.version)


@dataclass
class LambdaState:
    """All functions and event source mappings of the account.

    `concurrency` is the account's quota of invocations at once; `in_use` how many of them run now outside reservations.
    """

    functions: dict[str, Function] = field(default_factory=dict)
    mappings: dict[str, Mapping] = field(default_factory=dict)
    concurrency: int = ACCOUNT_CONCURRENCY
    in_use: int = 0

    @property
    def reserved(self) -> int:
        """How much of the quota is reserved for functions."""
        return sum(one.reserved or 0 for one in self.functions.values())

    @property
    def unreserved(self) -> int:
        """How many invocations of functions without a reservation may run at once, all of them together."""
        return max(0, self.concurrency - self.reserved)

    @property
    def floor(self) -> int:
        """What reservations must leave to the functions that have none."""
        return UNRESERVED_FLOOR if self.concurrency >= ACCOUNT_CONCURRENCY else SMALL_FLOOR

    def function(self, named: str) -> tuple[Function, str | None]:
        """The function a call names by name or ARN, and the qualifier in that name."""
        name, qualifier = split_name(named)
        found = self.functions.get(name)
        if found is None:
            raise not_found(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
        return found, qualifier

    def feeding(self, queue_arn: str) -> list[Mapping]:
        """The enabled mappings that read a queue."""
        return [one for one in self.mappings.values() if one.queue_arn == queue_arn and one.is_enabled]

    def map_queue(
        self, queue_arn: str, named: str, batch_size: int, at: datetime, *, is_enabled: bool = True
    ) -> Mapping:
        """Let a queue's messages invoke a function."""
        function, qualifier = self.function(named)
        function.code(qualifier)
        identity = str(uuid5(NAMESPACE_URL, f"{queue_arn}/{function.name}/{qualifier}"))
        mapping = Mapping(identity, queue_arn, function.name, qualifier, batch_size, is_enabled, at)
        self.mappings[identity] = mapping
        return mapping


def split_name(named: str) -> tuple[str, str | None]:
    """Name and qualifier of `name`, `name:qualifier` or an ARN of either."""
    parts = named.rpartition(":function:")[2].split(":")
    return parts[0], parts[1] if len(parts) > 1 else None


def not_found(arn: str) -> AwsError:
    """Lambda's refusal where a function, version or alias does not exist."""
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404, {"Type": "User"})


def _same(one: Code, other: Code) -> bool:
    return replace(one, version="", modified_at=other.modified_at, description="") == replace(
        other, version="", modified_at=other.modified_at, description=""
    )
