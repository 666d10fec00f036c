"""How much the account has been given of the quotas that may hold an incident's services back, and how much is used.

Quotas and usage are read side by side. Who uses the most is asked only where functions are refused, since a search over
all functions costs more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from memory.records.config import Service
from memory.records.evidence import Evidence, Gap
from tools.analysis.quotas import Use
from tools.collectors.readable import facts_in
from tools.collectors.series import Wanted, points_in, read_series
from tools.errors import error_code
from tools.evidence import Answer, Window
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

MINUTES = 90
BUSIEST = 5
BUSY_MINUTES = 30
LATELY = timedelta(minutes=15)


@dataclass(frozen=True)
class Watched:
    """A quota, and where AWS publishes how much of it is used and how often somebody was refused for it."""

    service: str
    code: str
    used: Wanted
    refused: Wanted | None = None

    @property
    def key(self) -> str:
        """Return what it is kept by."""
        return f"{self.service} {self.code}"


# The usage metrics that Service Quotas names for them, so that usage is asked for beside the quota and not after it.
CONCURRENCY = Watched(
    "lambda",
    "L-B99A9384",
    Wanted("AWS/Lambda", "ConcurrentExecutions", {}, "Maximum"),
    Wanted("AWS/Lambda", "Throttles", {}, "Sum"),
)
VCPUS = Watched(
    "fargate",
    "L-3032A538",
    Wanted(
        "AWS/Usage",
        "ResourceCount",
        {"Class": "Standard/OnDemand", "Resource": "vCPU", "Service": "Fargate", "Type": "Resource"},
        "Maximum",
    ),
)


class QuotaValue(Question):
    """Which quota, by the codes of Service Quotas."""

    service: str
    code: str


class Busiest(Question):
    """The functions that run most often at once, of all in the account."""

    most: int = BUSIEST


def watched_of(services: Iterable[Service]) -> tuple[Watched, ...]:
    """Return the quotas that may hold services back: functions share executions, tasks vCPUs."""
    clustered = {service.cluster is not None for service in services}
    return tuple(
        one for one, applies in ((CONCURRENCY, False in clustered), (VCPUS, True in clustered)) if applies
    )


def look_at_quota(sources: Sources, watched: Watched) -> Evidence:
    """Read how much the account has been given of a quota; AWS's default where nothing was ever given.

    https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
    """
    question = QuotaValue(service=watched.service, code=watched.code)
    return sources.recorder.observe(
        f"quota {watched.key}",
        "service-quotas",
        "GetServiceQuota",
        {**question.model_dump(), "at": sources.clock.now().isoformat()},
        lambda: _quota(sources, question),
        tool=QUOTA.name,
    )


def _quota(sources: Sources, question: QuotaValue) -> Answer:
    client = sources.access.client("service-quotas")
    asked = {"ServiceCode": question.service, "QuotaCode": question.code}
    try:
        quota, calls = client.get_service_quota(**asked)["Quota"], 1
    except ClientError as error:
        if error_code(error) != "NoSuchResourceException":
            raise
        quota, calls = client.get_aws_default_service_quota(**asked)["Quota"], 2
    told = {"service": question.service, "code": question.code, "name": quota.get("QuotaName", "")}
    if "Value" not in quota:
        why = quota.get("ErrorReason", {}).get("ErrorMessage", "")
        return Answer(told, calls, gaps=(Gap.FAILED,), gap_detail=f"Service Quotas has no value: {why}")
    return Answer({**told, "value": float(quota["Value"]), "is_default": calls == 2}, calls)


def look_at_usage(sources: Sources, watched: Iterable[Watched]) -> Evidence:
    """Read how much of quotas was used, minute by minute, and how often somebody was refused."""
    wanted = {one.key: one.used for one in watched}
    refused = {f"{one.key} refused": one.refused for one in watched if one.refused is not None}
    return read_series(sources, "usage of quotas", {**wanted, **refused}, MINUTES)


def is_refused(evidence: Evidence) -> bool:
    """Say whether any function of the account was refused an execution lately."""
    facts = facts_in(evidence)
    refused = points_in(facts).get(f"{CONCURRENCY.key} refused", []) if facts else []
    return any(value for at, value in refused if refused[-1][0] - at <= LATELY)


def look_at_busiest(sources: Sources) -> Evidence:
    """Read which functions run most often at once, the busiest first."""
    question, window = Busiest(), sources.last(BUSY_MINUTES)
    return sources.recorder.observe(
        "functions that run most often at once",
        "cloudwatch",
        "GetMetricData",
        {**question.model_dump(), "from": utc_text(window[0]), "until": utc_text(window[1])},
        lambda: _busiest(sources, question, window),
        window=window,
        tool=BUSIEST_FUNCTIONS.name,
    )


def _busiest(sources: Sources, question: Busiest, window: Window) -> Answer:
    """Search all functions; one with most results is sorted by CloudWatch, so that few come over the wire.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    """
    search = "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"ConcurrentExecutions\"', 'Maximum', 60)"
    query = {
        "Id": "busiest",
        "Expression": f"SLICE(SORT({search}, MAX, DESC), 0, {question.most})",
        "Label": "${PROP('Dim.FunctionName')}",
    }
    answer = sources.access.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=window[0], EndTime=window[1], ScanBy="TimestampAscending"
    )
    results = [one for one in answer["MetricDataResults"] if one["Values"]]
    told = [{"function": one["Label"], "most": max(one["Values"])} for one in results]
    told.sort(key=lambda one: -one["most"])
    return Answer({"functions": told}, gaps=() if told else (Gap.NO_DATA,), metrics=max(len(results), 1))


def use_in(
    quota: Evidence | None, usage: Evidence | None, busiest: Evidence | None, one: Watched
) -> Use | None:
    """Return how much of a quota is used, beside what there is of it; None where either could not be read."""
    given, spent = facts_in(quota) if quota else {}, facts_in(usage) if usage else {}
    if quota is None or usage is None or "value" not in given or "until" not in spent:
        return None
    busy: list[Mapping[str, Any]] = facts_in(busiest).get("functions", []) if busiest else []
    users = tuple((str(who["function"]), float(who["most"])) for who in busy) if one is CONCURRENCY else ()
    seen = [quota.evidence_id, usage.evidence_id]
    seen += [busiest.evidence_id] if busiest and users else []
    return Use(
        one.service,
        one.code,
        str(given["name"]) or one.code,
        float(given["value"]),
        tuple(points_in(spent).get(one.key, ())),
        users,
        tuple(seen),
    )


QUOTA = ReadTool(
    "collected_quota",
    "Read how much the account has been given of a quota.",
    QuotaValue,
    lambda sources, question: look_at_quota(
        sources, Watched(question.service, question.code, CONCURRENCY.used)
    ),
    lambda sources, question, window: _quota(sources, question),
)
BUSIEST_FUNCTIONS = ReadTool(
    "collected_busiest_functions",
    "Read which functions run most often at once.",
    Busiest,
    lambda sources, question: look_at_busiest(sources),
    _busiest,
)
