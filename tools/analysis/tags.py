"""What the tags of a service say of it where settings say nothing: tier, owner, service levels, what it calls."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from memory.records.assessment import Learned
from memory.records.config import Dependency, Service, ServiceLevel, Topology

_NAME = r"[A-Za-z0-9][A-Za-z0-9._/+@-]{0,79}"
_PART = rf"(?:service|table|queue|external):{_NAME}"
# A tag may be written by whoever may tag: a value counts only when it is of this shape, and says nothing else.
SHAPES: Mapping[str, re.Pattern[str]] = {
    "tier": re.compile(r"[0-9]"),
    "owner": re.compile(_NAME),
    "slo-availability": re.compile(r"0\.\d{0,8}[1-9]\d{0,8}"),
    "slo-latency-ms": re.compile(r"[1-9]\d{0,6}"),
    "depends-on": re.compile(rf"{_PART}(?: {_PART})*"),
}
_LEVELS = {"slo-availability": "availability", "slo-latency-ms": "latency_ms_p99"}
_FIELDS = {"tier": "tier", "owner": "owner", "depends-on": "depends_on"}


def usable(tags: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the tags that say something of a service, and the keys of those whose value is not what it should be."""
    known = {key: value for key, value in sorted(tags.items()) if key in SHAPES}
    sound = {key: value for key, value in known.items() if SHAPES[key].fullmatch(value)}
    return sound, tuple(key for key in known if key not in sound)


def left_open(service: Service) -> frozenset[str]:
    """Return the keys of the tags that would say what settings leave out; what settings say, they say for good."""
    said = service.model_fields_set
    levels = service.slo.model_fields_set if "slo" in said else frozenset[str]()
    fields = {key for key, field in _FIELDS.items() if field not in said}
    return frozenset(fields | {key for key, field in _LEVELS.items() if field not in levels})


def learned_of(service: Service, tags: Mapping[str, str], evidence_id: str) -> Learned | None:
    """Return what usable tags say of a service where settings say nothing; None where they add nothing.

    Whoever may tag may write a tag. So tags may name more to look at, and may ask for more care, never for less: a
    tier, an availability or a latency that asks for less than is assumed where nobody says anything is left out.
    """
    told = {key: value for key, value in tags.items() if key in left_open(service)}
    tier, kept = int(told.get("tier", service.tier)), service.slo
    availability = float(told.get("slo-availability", kept.availability))
    latency = float(told.get("slo-latency-ms", kept.latency_ms_p99))
    found = Learned(
        service=service.name,
        tier=tier if tier < service.tier else None,
        owner=told.get("owner"),
        availability=availability if availability > kept.availability else None,
        latency_ms_p99=latency if latency < kept.latency_ms_p99 else None,
        depends_on=tuple(told["depends-on"].split(" ")) if "depends-on" in told else None,
    )
    return (
        found.model_copy(update={"evidence_id": evidence_id})
        if found != Learned(service=service.name)
        else None
    )


def filled(service: Service, learned: Learned) -> Service:
    """Return a service with what was learned of it; what settings say by now, they say for good."""
    still_open, new = left_open(service), dict[str, Any]()
    if learned.tier is not None and "tier" in still_open:
        new["tier"] = min(service.tier, learned.tier)
    if learned.owner is not None and "owner" in still_open:
        new["owner"] = learned.owner
    if learned.depends_on is not None and "depends-on" in still_open:
        parts = (part.partition(":") for part in learned.depends_on)
        new["depends_on"] = tuple(Dependency(kind=kind, name=name) for kind, _, name in parts)
    levels: dict[str, float] = {}
    if learned.availability is not None and "slo-availability" in still_open:
        levels["availability"] = max(service.slo.availability, learned.availability)
    if learned.latency_ms_p99 is not None and "slo-latency-ms" in still_open:
        levels["latency_ms_p99"] = min(service.slo.latency_ms_p99, learned.latency_ms_p99)
    if levels:
        said = service.slo.model_dump(exclude_unset=True)
        new["slo"] = ServiceLevel.model_validate({**said, **levels})
    return service.model_copy(update=new) if new else service


def with_learned(topology: Topology, learned: Iterable[Learned]) -> Topology:
    """Return a topology with what was learned of its services; it names no service that is not in it."""
    known = {one.service: one for one in learned}
    if not known:
        return topology
    services = (
        filled(service, known[service.name]) if service.name in known else service
        for service in topology.services
    )
    return Topology(services=tuple(services))
