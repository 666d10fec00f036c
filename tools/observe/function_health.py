"""Read a Lambda function: its versions and aliases, what calls it, and how its invocations go."""

from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer, Window
from tools.observe.metric_data import query_of, read_series
from tools.observe.sources import Question, ReadTool, Sources

NAME = "function_health"
PAGES = 10
NEWEST_VERSIONS = 10
SERIES = (
    ("invocations", "Invocations", "Sum"),
    ("errors", "Errors", "Sum"),
    ("throttles", "Throttles", "Sum"),
    ("duration_ms_p99", "Duration", "p99"),
    ("concurrent", "ConcurrentExecutions", "Maximum"),
)


class FunctionHealth(Question):
    """Which function, over how long."""

    function: str = Field(
        description="The function's name.", min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$"
    )
    minutes: int = Field(default=120, ge=5, le=1440, description="How many minutes back from now.")


def function_health(sources: Sources, question: FunctionHealth) -> Evidence:
    """Return a function's settings, newest versions, aliases, event sources and invocations a minute."""
    window = sources.last(question.minutes)
    return sources.recorder.observe(
        f"Lambda function {question.function}",
        "lambda",
        "GetFunctionConfiguration",
        {**question.model_dump(), "until": window[1].isoformat()},
        lambda: _read(sources, question, window),
        window=window,
        untrusted=True,
        tool=NAME,
    )


def _read(sources: Sources, question: FunctionHealth, window: Window) -> Answer:
    client, name = sources.access.client("lambda"), question.function
    settings = client.get_function_configuration(FunctionName=name)
    versions, version_pages, more = _versions(client, name)
    aliases = client.list_aliases(FunctionName=name)["Aliases"]
    mappings = [
        *client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"],
        *(m for a in aliases for m in _mappings_of(client, name, a["Name"])),
    ]
    reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    quota = client.get_account_settings()["AccountLimit"]
    queries = [
        query_of(key, "AWS/Lambda", metric, {"FunctionName": name}, stat) for key, metric, stat in SERIES
    ]
    series = read_series(sources.access.client("cloudwatch"), queries, window)
    missing = [f"only the newest {NEWEST_VERSIONS} versions are told"] if more else []
    return Answer(
        {
            **_settings(settings),
            "reserved_concurrency": reserved,
            "account_concurrency": {
                "limit": quota["ConcurrentExecutions"],
                "unreserved": quota["UnreservedConcurrentExecutions"],
            },
            "versions": versions,
            "aliases": [_alias(alias) for alias in aliases],
            "event_sources": list({m["uuid"]: m for m in map(_mapping, mappings)}.values()),
            **series.points,
        },
        calls=5 + version_pages + len(aliases) + series.calls,
        gaps=(*((Gap.TRUNCATED,) if missing else ()), *series.gaps),
        gap_detail=" ".join(filter(None, (*missing, series.detail))),
        newest_last=True,
        metrics=series.metrics,
    )


def _versions(client: Any, name: str) -> tuple[list[dict[str, Any]], int, bool]:
    """Return the newest versions, the newest last; how many pages that took; whether some are left out."""
    found: list[dict[str, Any]] = []
    request: dict[str, Any] = {"FunctionName": name}
    pages, more = 0, True
    while more and pages < PAGES:
        page = client.list_versions_by_function(**request)
        found += [version for version in page["Versions"] if version["Version"] != "$LATEST"]
        request["Marker"], pages, more = page.get("NextMarker"), pages + 1, bool(page.get("NextMarker"))
    found.sort(key=lambda version: int(version["Version"]))
    newest = [_version(version) for version in found[-NEWEST_VERSIONS:]]
    return newest, pages, more or len(found) > NEWEST_VERSIONS


def _mappings_of(client: Any, name: str, alias: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.list_event_source_mappings(FunctionName=f"{name}:{alias}")[
        "EventSourceMappings"
    ]
    return found


def _settings(told: dict[str, Any]) -> dict[str, Any]:
    variables = told.get("Environment", {}).get("Variables", {})
    return {
        "function": told["FunctionName"],
        "state": told.get("State"),
        "last_update": told.get("LastUpdateStatus"),
        "last_update_reason": told.get("LastUpdateStatusReason"),
        "timeout_seconds": told.get("Timeout"),
        "memory_mb": told.get("MemorySize"),
        # Their values may be secrets, and none is needed to see that one is missing.
        "variables": sorted(variables),
    }


def _version(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": told["Version"],
        "published_at": told.get("LastModified"),
        "description": told.get("Description", ""),
        "code_sha256": told.get("CodeSha256"),
    }


def _alias(told: dict[str, Any]) -> dict[str, Any]:
    weights = (told.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})
    return {"name": told["Name"], "version": told["FunctionVersion"], "shares_of_others": weights}


def _mapping(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "uuid": told["UUID"],
        "source": told.get("EventSourceArn"),
        "state": told.get("State"),
        "last_result": told.get("LastProcessingResult"),
        "batch_size": told.get("BatchSize"),
    }


TOOL = ReadTool(
    NAME,
    "Read a Lambda function: its state and settings, its newest versions with when each was published, which version "
    "its aliases serve, what feeds it, the concurrency that it and the account may have, and invocations, errors, "
    "throttles, duration and concurrency a minute. A series without datapoints means that it was not invoked.",
    FunctionHealth,
    function_health,
    _read,
)
