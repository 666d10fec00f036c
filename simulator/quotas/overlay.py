"""Service Quotas' API over what the account has been given. Raising a quota is refused: nobody here would grant it.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/Welcome.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.quotas.applied import AppliedQuotas
from simulator.quotas.catalogue import QUOTAS, SERVICES, Quota
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import ACCOUNT, REGION, AwsError, Call

PAGE = 100
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class QuotasOverlay:
    """Answers Service Quotas from the applied values. What is not here is refused as an unknown operation."""

    applied: AppliedQuotas
    service: str = "service-quotas"
    exclusive: bool = True

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        return frozenset(self._answers())

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        return self._answers()[call.operation](call.parameters)

    def _answers(self) -> dict[str, Callable[[Parameters], Mapping[str, Any]]]:
        return {
            "GetAWSDefaultServiceQuota": self._get_default,
            "GetServiceQuota": self._get,
            "ListAWSDefaultServiceQuotas": self._list_defaults,
            "ListServiceQuotas": self._list,
            "ListServices": _services,
        }

    def _get(self, given: Parameters) -> Mapping[str, Any]:
        quota = _quota(given)
        if given.get("ContextId"):
            raise AwsError("IllegalArgumentException", "The quota is not applied at the resource level.")
        return {"Quota": self._applied(quota)}

    def _get_default(self, given: Parameters) -> Mapping[str, Any]:
        return {"Quota": _default(_quota(given))}

    def _list(self, given: Parameters) -> Mapping[str, Any]:
        level = given.get("QuotaAppliedAtLevel", "ACCOUNT")
        if level not in ("ACCOUNT", "RESOURCE", "ALL"):
            raise AwsError("IllegalArgumentException", f"{level} is no level at which quotas are applied.")
        listed = _of(given) if level != "RESOURCE" else []
        wanted = given.get("QuotaCode")
        return _paged(given, "Quotas", [self._applied(one) for one in listed if wanted in (None, one.code)])

    def _list_defaults(self, given: Parameters) -> Mapping[str, Any]:
        return _paged(given, "Quotas", [_default(one) for one in _of(given)])

    def _applied(self, quota: Quota) -> dict[str, Any]:
        arn = f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:{quota.service}/{quota.code}"
        told = _told(quota, self.applied.value(quota), arn)
        return {**told, "QuotaAppliedAtLevel": "ACCOUNT"}


def _services(given: Parameters) -> Mapping[str, Any]:
    listed = [{"ServiceCode": code, "ServiceName": name} for code, name in SERVICES.items()]
    return _paged(given, "Services", listed)


def _default(quota: Quota) -> dict[str, Any]:
    """A quota's default, which belongs to no account."""
    return _told(quota, quota.default, f"arn:aws:servicequotas:{REGION}::{quota.service}/{quota.code}")


def _told(quota: Quota, value: float, arn: str) -> dict[str, Any]:
    """API_ServiceQuota."""
    usage = quota.usage
    return {
        "ServiceCode": quota.service,
        "ServiceName": SERVICES[quota.service],
        "QuotaArn": arn,
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "Description": quota.description,
        "UsageMetric": None
        if usage is None
        else {
            "MetricNamespace": usage.namespace,
            "MetricName": usage.name,
            "MetricDimensions": dict(usage.dimensions),
            "MetricStatisticRecommendation": usage.statistic,
        },
    }


def _of(given: Parameters) -> list[Quota]:
    code = given["ServiceCode"]
    if code not in SERVICES:
        raise _absent("service")
    return [one for one in QUOTAS.values() if one.service == code]


def _quota(given: Parameters) -> Quota:
    found = [one for one in _of(given) if one.code == given["QuotaCode"]]
    if not found:
        raise _absent("quota code")
    return found[0]


def _absent(what: str) -> AwsError:
    message = f"The request failed because the specified {what} does not exist."
    return AwsError("NoSuchResourceException", message)


def _paged(given: Parameters, member: str, items: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
    size = given.get("MaxResults", PAGE)
    if not 1 <= size <= PAGE:
        raise AwsError("IllegalArgumentException", f"MaxResults must be between 1 and {PAGE}.")
    try:
        listed, token = page(items, given.get("NextToken"), size)
    except UnknownTokenError as error:
        raise AwsError("InvalidPaginationTokenException", "Invalid pagination token.") from error
    return {member: listed, "NextToken": token}
