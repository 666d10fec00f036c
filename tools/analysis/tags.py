"""What the tags of a service say of it where settings say nothing: tier, owner, service levels, what it calls."""

import re
from collections.abc import Mapping
from typing import Any

from memory.records.config import Dependency, Service, ServiceLevel

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


def filled(service: Service, tags: Mapping[str, str]) -> Service:
    """Return a service with what usable tags say where settings say nothing; the same one where they add nothing."""
    told = {key: value for key, value in tags.items() if key in left_open(service)}
    new: dict[str, Any] = {}
    if "tier" in told:
        new["tier"] = int(told["tier"])
    if "owner" in told:
        new["owner"] = told["owner"]
    if "depends-on" in told:
        parts = (part.partition(":") for part in told["depends-on"].split(" "))
        new["depends_on"] = tuple(Dependency(kind=kind, name=name) for kind, _, name in parts)
    levels = {field: float(told[key]) for key, field in _LEVELS.items() if key in told}
    if levels:
        said = service.slo.model_dump(exclude_unset=True)
        new["slo"] = ServiceLevel.model_validate({**said, **levels})
    return service.model_copy(update=new) if new else service
