"""What else is published of the resource that an alarm watches is read, whatever publishes it."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from memory.records.config import Limits, Service, ServiceMetrics
from memory.records.evidence import Evidence, Gap
from tests.tools.stand_ins import NOW, Kept, sources
from tools.collectors.alarm import AlarmView
from tools.collectors.around import Around
from tools.collectors.neighbours import MOST_LISTED
from tools.collectors.reading import read_findings
from tools.collectors.reads import COLLECTED
from tools.collectors.running import Collecting
from tools.collectors.series import points_in
from tools.observe.get_metric import GetMetric
from tools.replay import Outcome, replay

MINUTE = timedelta(minutes=1)
PLACE = {"Queue": "mails", "Stage": "live"}
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "ListMetrics")


class Published:
    """CloudWatch, which publishes some metrics under some dimensions, three to a page."""

    def __init__(self, *listed: tuple[str, Mapping[str, str]], endless: bool = False) -> None:
        self.listed, self.endless = listed, endless
        self.asked: list[dict[str, Any]] = []
        self.read: list[tuple[str, str, dict[str, str]]] = []

    def list_metrics(self, **asked: Any) -> Any:
        self.asked.append(asked)
        first = int(asked.get("NextToken", 0))
        page = [
            {
                "Namespace": asked["Namespace"],
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in place.items()],
            }
            for name, place in self.listed[first : first + 3]
        ]
        more = self.endless or first + 3 < len(self.listed)
        return {"Metrics": page, **({"NextToken": str(first + 3)} if more else {})}

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:
        stats = [one["MetricStat"] for one in MetricDataQueries]
        self.read += [
            (
                one["Metric"]["MetricName"],
                one["Stat"],
                {each["Name"]: each["Value"] for each in one["Metric"]["Dimensions"]},
            )
            for one in stats
        ]
        same = {"Timestamps": [NOW - n * MINUTE for n in (2, 1)], "Values": [3.0, 4.0]}
        return {"MetricDataResults": [{"Id": one["Id"], **same} for one in MetricDataQueries]}


def _metric(namespace: str = "Post", name: str = "Age", **place: str) -> GetMetric:
    return GetMetric(namespace=namespace, metric_name=name, dimensions=place or PLACE)


def _beside(
    account: Any, metric: GetMetric, near: tuple[Service, ...] = (), limits: Limits | None = None
) -> tuple[Evidence | None, tuple[str, ...], Kept]:
    """Return what was read beside a metric, what is named as not checked, and what was stored."""
    collecting = Collecting(time.monotonic() + 30)
    given = sources({"cloudwatch": account}, limits=limits)
    try:
        around = Around(given, collecting, near, (), ())
        around.begin_neighbours(metric)
        found = read_findings(around, AlarmView(NOW, ()), (), metric)
        # What they mean is not known: they speak neither for health nor against it.
        assert (found.resources, found.unread) == ((), tuple(one.name for one in near))
        return around.taken("neighbours", ""), collecting.not_checked, cast(Kept, given.recorder.ledger)
    finally:
        collecting.end()


@pytest.mark.parametrize(
    "namespace",
    [
        *("AWS/SQS", "AWS/DynamoDB", "AWS/Lambda", "AWS/ECS", "AWS/ApiGateway", "AWS/NetworkELB"),
        *("AWS/Kinesis", "AWS/States", "Shop"),
    ],
)
def test_what_any_namespace_publishes_under_the_same_dimensions_is_read(namespace: str) -> None:
    account = Published(("Age", PLACE), ("Depth", PLACE), ("Depth", {**PLACE, "Host": "h1"}), ("Lost", PLACE))
    found, missing, _ = _beside(account, _metric(namespace))
    assert found is not None
    assert {(name, tuple(place.items())) for name, _, place in account.read} == {
        ("Depth", tuple(PLACE.items())),
        ("Lost", tuple(PLACE.items())),
    }
    assert {one["Namespace"] for one in account.asked} == {namespace}
    assert account.asked[0]["Dimensions"] == [
        {"Name": "Queue", "Value": "mails"},
        {"Name": "Stage", "Value": "live"},
    ]
    points = points_in(found.result)
    assert [value for _, value in points["Depth Average"]] == [3.0, 4.0]
    assert {"Depth Sum", "Lost Average", "Lost Sum"} <= set(points)
    assert (found.calls, missing) == (3, ())
    assert found.usd == pytest.approx(4 * 0.00001)


def test_no_more_than_so_many_are_read_and_the_rest_are_named() -> None:
    names = [f"M{n:02}" for n in range(MOST_LISTED + 2)]
    account = Published(*((name, PLACE) for name in names))
    found, missing, _ = _beside(account, _metric())
    assert found is not None
    assert {name for name, _, _ in account.read} == set(names[:MOST_LISTED])
    assert found.gaps == (Gap.TRUNCATED,)
    assert ", ".join(names[MOST_LISTED:]) in found.gap_detail
    assert missing == ("neighbours of Age (not all of it)",)


def test_a_list_without_an_end_is_not_followed_for_ever() -> None:
    account = Published(("Depth", PLACE), endless=True)
    found, missing, _ = _beside(account, _metric())
    assert found is not None
    assert len(account.asked) == 4
    assert "not all metrics were listed" in found.gap_detail
    assert missing == ("neighbours of Age (not all of it)",)


def test_where_nothing_else_is_published_that_is_what_is_stored() -> None:
    found, missing, _ = _beside(Published(("Age", PLACE)), _metric())
    assert found is not None
    assert (found.gaps, found.calls, missing) == ((Gap.NO_DATA,), 1, ())
    assert "nothing else" in found.gap_detail


def test_a_list_that_may_not_be_read_is_named() -> None:
    class Closed(Published):
        def list_metrics(self, **_: Any) -> Any:
            raise DENIED

    found, missing, stored = _beside(Closed(), _metric())
    assert (found, missing) == (None, ("neighbours of Age",))
    assert stored.evidence[0].gaps == (Gap.DENIED,)


def test_what_is_read_of_a_service_anyway_is_not_read_twice() -> None:
    own = ServiceMetrics(
        namespace="Post", dimensions=PLACE, requests="Requests", errors="Errors", latency="Time"
    )
    shop = Service(name="shop", cluster="c", metrics=own)
    account = Published(*((name, PLACE) for name in ("Requests", "Errors", "Time", "Depth")))
    _beside(account, _metric(), (shop,))
    assert {name for name, _, _ in account.read} == {"Depth"}


def test_what_costs_more_than_the_allowance_is_not_read() -> None:
    account = Published(("Depth", PLACE))
    found, missing, _ = _beside(account, _metric(), limits=Limits(collector_usd=0.00001))
    assert (found, missing, account.read) == (None, ("neighbours of Age",), [])


def test_neighbours_can_be_asked_again() -> None:
    account = Published(("Depth", PLACE), ("Lost", PLACE))
    found, _, _ = _beside(account, _metric())
    assert found is not None
    again = replay(sources({"cloudwatch": account}), found, found.result, COLLECTED)
    assert again.outcome is Outcome.SAME, again
