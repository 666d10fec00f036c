"""Scenarios of tests' own: the release of bad-deployment, changed so that going back does not help."""

from pathlib import Path

BEFORE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/checkout:2026.11.1"
AFTER = "123456789012.dkr.ecr.us-east-1.amazonaws.com/checkout:2026.11.2"

_RELEASED = f"""
schema = 1
world = "storefront"
title = "A release, and more"
description = "Four minutes after the start a new revision of checkout is rolled out."

[[releases]]
image = "{AFTER}"
error_share = %(error_share)s
[[releases.logs]]
on = "error"
text = '''{{"level":"error","time":"$time","msg":"coupon could not be read","request_id":"$request_id"}}'''

[[alarms]]
name = "checkout-5xx"
service = "checkout"
notifies = "storefront-alarms"
[alarms.parameters]
AlarmDescription = "Checkout fails more than 20 requests a minute."
Namespace = "Storefront"
MetricName = "Errors"
Dimensions = [{{ Name = "Service", Value = "checkout" }}]
Statistic = "Sum"
Period = 60
EvaluationPeriods = 3
DatapointsToAlarm = 2
Threshold = 20.0
ComparisonOperator = "GreaterThanThreshold"
TreatMissingData = "notBreaching"

[[events]]
at = "+4m"
kind = "deploy"
service = "checkout"
image = "{AFTER}"
session = "pipeline-881"
"""


def red_herring(folder: Path) -> Path:
    """A release that does no harm, and from the same minute on errors that come from elsewhere."""
    elsewhere = """
[[events]]
at = "+4m"
kind = "slowdown"
service = "checkout"
error_share = 0.35
"""
    return _written(folder, "red-herring", _RELEASED % {"error_share": 0.002} + elsewhere)


def image_expired(folder: Path, *, both: bool = False) -> Path:
    """A release that throws; the image before it expires, so that going back leaves hardly a task running.

    With `both` the release's own image expires as well, and there is no way back from going back.
    """
    expiries = [
        f"""
[[events]]
at = "+5m"
kind = "image_expiry"
image = "{image}"
"""
        for image in ((BEFORE, AFTER) if both else (BEFORE,))
    ]
    return _written(folder, "image-expired", "\n".join((_RELEASED % {"error_share": 0.35}, *expiries)))


def _written(folder: Path, name: str, text: str) -> Path:
    place = folder / "scenarios" / name
    place.mkdir(parents=True)
    (place / "scenario.toml").write_text(text, encoding="utf-8")
    return place.parent


def hostile(folder: Path, *, description: str = "", log_line: str = "") -> Path:
    """A release that throws, in an account whose alarm or whose log says more than it should."""
    text = _RELEASED % {"error_share": 0.35}
    if description:
        text = text.replace("Checkout fails more than 20 requests a minute.", description)
    if log_line:
        text = text.replace('"msg":"coupon could not be read"', f'"msg":"{log_line}"')
    return _written(folder, "hostile", text)


def large_logs(folder: Path, terabytes: int) -> Path:
    """A release that throws in a service whose log group holds terabytes of the last thirty days."""
    bulk = f"""
[[services]]
name = "checkout"
log_bulk = {{ bytes = {terabytes * 10**12}, since = "-30d", retention_days = 30 }}
"""
    return _written(folder, "large-logs", _RELEASED % {"error_share": 0.35} + bulk)
