"""Compare what was claimed with the truth: the cause in AWS's terms, how it spread, since when, and what was told."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from evals.truth import TrueCause, Truth
from memory.records.assessment import Assessment, FirstLook, Hypothesis, Verdict
from memory.records.message import Message, MessageState
from simulator.world import World, offset

VERDICTS = {"cause": Verdict.CAUSE, "noise": Verdict.NOISE, "not-shown": Verdict.UNRESOLVED}
# What leads is claimed, and whatever else is held to be this likely.
CLAIMED = 0.6
# Kinds of cause whose change has no name in AWS's terms: the truth describes it in words of its own.
UNWORDED = frozenset({"message", "task"})
# A metric's minute is published late and an alarm looks at several: an onset is right this near to the change.
ONSET_TOLERANCE = timedelta(minutes=3)


@dataclass(frozen=True)
class Marks:
    """What is right about one assessment."""

    verdict: bool
    severity: bool
    cause_service: bool
    cause_resource: bool
    cause_change: bool

    @property
    def cause(self) -> bool:
        """Say whether the cause is right in every part."""
        return self.cause_service and self.cause_resource and self.cause_change

    @property
    def share(self) -> float:
        """Return the share of the marks that are right."""
        marks: list[bool] = list(asdict(self).values())
        return sum(marks) / len(marks)


def services_of(world: World) -> dict[str, str]:
    """Return for every resource of a world, by its own name, the AWS service that it is part of."""
    named: dict[str, list[str]] = {
        "ecs": [one.name for one in world.services],
        "dynamodb": [one.name for one in world.tables],
        "sqs": [one.name for one in world.queues],
        "lambda": [one.name for one in world.functions],
        "ssm": [one.name for one in world.parameters],
        "external": [one.name for one in world.externals],
    }
    quotas = {one.code: one.service for one in world.quotas}
    return quotas | {_own_name(name): service for service, names in named.items() for name in names}


def marks(said: Assessment | FirstLook | None, truth: Truth, services: Mapping[str, str]) -> Marks:
    """Compare one assessment with the truth; where no cause is to be found, claiming one is what is wrong.

    Where there are several causes, each must be claimed, and nothing beside them.
    """
    if said is None:
        quiet = truth.verdict == "none"
        return Marks(quiet, quiet, quiet, quiet, quiet)
    claims = claimed(said)
    none_claimed = said.verdict is not Verdict.CAUSE
    verdict = none_claimed if truth.verdict == "none" else said.verdict is VERDICTS[truth.verdict]
    severity = not truth.severity or said.severity.value in truth.severities
    if not truth.causes:
        return Marks(verdict, severity, none_claimed, none_claimed, none_claimed)
    return Marks(verdict, severity, *_cause_marks(claims, truth.causes, services))


def claimed(said: Assessment | FirstLook) -> tuple[Hypothesis, ...]:
    """Return the causes that an assessment claims: none where its verdict is another.

    Where no set of causes is listed, what leads is claimed, and whatever else is held to be likely.
    """
    if said.verdict is not Verdict.CAUSE:
        return ()
    if said.causes:
        return said.causes
    return (*said.hypotheses[:1], *(one for one in said.hypotheses[1:] if one.confidence >= CLAIMED))


def _cause_marks(
    claims: Sequence[Hypothesis], causes: Sequence[TrueCause], services: Mapping[str, str]
) -> tuple[bool, bool, bool]:
    """A claim speaks of the service that the resource it names is part of, and of that in the kind it names."""
    said = {(services.get(_own_name(one.component)), one.kind.value) for one in claims}
    changes = {None if one.kind.value in UNWORDED else one.change for one in claims}
    return (
        said == {(one.service, one.kind) for one in causes},
        {_own_name(one.component) for one in claims} == {one.component for one in causes},
        changes == {None if one.kind in UNWORDED else one.change for one in causes},
    )


def onset_right(onset: datetime | None, began: datetime | None, truth: Truth) -> bool:
    """Say whether an onset is near the first of the true ones; where the truth has none, none is asked for."""
    moments = [offset(one.onset) for one in truth.causes if one.onset]
    if not moments:
        return True
    return onset is not None and began is not None and abs(onset - began - min(moments)) <= ONSET_TOLERANCE


def path_right(said: Assessment, truth: Truth) -> bool:
    """Say whether a causal path begins at a cause and meets the parts that the truth names from there, in order.

    Where several causes are independent, the way from each is held to its own order: none comes before another. Who
    suffers beside them may be named too, but no path where there is no cause.
    """
    found = [_own_name(part) for part in said.causal_path]
    causes = {one.component for one in truth.causes}
    if not causes:
        return not found or said.verdict is not Verdict.CAUSE
    if not found or found[0] not in causes:
        return False
    return all(_in_order(way, found) for way in _ways(truth, causes))


def _ways(truth: Truth, causes: Collection[str]) -> list[list[str]]:
    """Return the parts of the truth's path from each cause to the next one; what stands before the first is no way."""
    ways: list[list[str]] = []
    for step in dict.fromkeys(_own_name(step.of) for step in truth.path):
        if step in causes:
            ways.append([step])
        elif ways:
            ways[-1].append(step)
    return ways or [list(dict.fromkeys(_own_name(step.of) for step in truth.path))]


def _in_order(way: Sequence[str], found: Sequence[str]) -> bool:
    left = iter(found)
    return all(step in left for step in way)


def messages_right(messages: Iterable[Message], truth: Truth) -> bool:
    """Say whether what was sent says all that it must, and nothing that it must not, whatever the case."""
    sent = [one for one in messages if one.state is MessageState.SENT]
    told = " ".join(f"{one.subject}\n{one.body}" for one in sent)
    text = " ".join(told.casefold().split())
    said = all(" ".join(words.casefold().split()) in text for words in truth.message.must)
    return said and not any(" ".join(words.casefold().split()) in text for words in truth.message.must_not)


def _own_name(resource: str) -> str:
    return resource.rsplit("/", 1)[-1]
