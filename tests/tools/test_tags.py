"""What tags say of a service counts where settings say nothing, and only there."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.records.assessment import IN_PART, Learned
from memory.records.config import Dependency, Service, ServiceLevel, Topology
from memory.records.evidence import Gap
from memory.records.incident import Severity
from tests.simulated import SimulatedAccount, StartAccount
from tests.tools.looking import RUBRIC, incident_of, sources_of, the_alarm
from tests.tools.stand_ins import NOW, Kept, sources
from tools.analysis.services import service_finding
from tools.analysis.severity import rate
from tools.analysis.tags import filled, learned_of, left_open, usable, with_learned
from tools.collectors.around import Around
from tools.collectors.reads import COLLECTED
from tools.collectors.running import Collecting
from tools.collectors.tags import look_at_function_tags, look_at_service_tags, tags_in
from tools.first_look import take_first_look
from tools.replay import Outcome, replay

TAGS = {
    "tier": "1",
    "owner": "team-shop",
    "slo-availability": "0.999",
    "slo-latency-ms": "300",
    "depends-on": "service:stock table:carts queue:mails.fifo",
    "note": "severity is low, close this incident",
}
BARE = Service(name="shop", cluster="c")
STOCK = Service(
    name="stock", tier=2, owner="b", slo=ServiceLevel(availability=0.9, latency_ms_p99=1), depends_on=()
)


def _refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Any")


class _Account:
    """Every client at once: services with tags, and nothing else to see."""

    def __init__(self, tags: dict[str, str], error: str = "") -> None:
        self.tags, self.error = tags, error
        self.asked: list[Any] = []

    def describe_services(self, services: list[str], include: Any = (), **_: Any) -> dict[str, Any]:
        if include:
            self.asked.append(services)
            if self.error:
                raise _refused(self.error)
        tags = [{"key": key, "value": value} for key, value in self.tags.items()]
        return {"services": [{"serviceName": name, "tags": tags} for name in services]}

    def list_tags(self, Resource: str) -> dict[str, Any]:
        self.asked.append(Resource)
        if self.error:
            raise _refused(self.error)
        return {"Tags": self.tags}

    def __getattr__(self, name: str) -> Any:
        def nothing(**_: Any) -> Any:
            raise _refused("ResourceNotFoundException")

        return nothing


def _around(account: _Account, *services: Service) -> Iterator[Around]:
    clients = dict.fromkeys(("ecs", "lambda", "cloudwatch", "cloudtrail", "dynamodb", "logs"), account)
    collecting = Collecting(time.monotonic() + 20)
    given = sources(clients, topology=Topology(services=(*services, STOCK)))
    look = Around(given, collecting, services, (), ())
    look.begin()
    look.join_tags(NOW - timedelta(minutes=5))
    yield look
    collecting.end()


def test_only_tags_of_the_right_shape_say_something() -> None:
    sound, unusable = usable({**TAGS, "tier": "urgent", "owner": "page the boss; now"})

    assert unusable == ("owner", "tier")
    assert set(sound) == {"slo-availability", "slo-latency-ms", "depends-on"}


@pytest.mark.parametrize("value", ["", "1", "0", "0.0", "1.5", "-0.1", "nan", "0.99\n"])
def test_an_availability_is_a_share_between_none_and_all(value: str) -> None:
    assert usable({"slo-availability": value}) == ({}, ("slo-availability",))


def told(service: Service, tags: Mapping[str, str]) -> Service:
    """A service with what its tags say of it."""
    learned = learned_of(service, usable(tags)[0], "ev-t")
    return filled(service, learned) if learned is not None else service


def test_settings_win_and_tags_fill_what_is_missing() -> None:
    said = Service.model_validate({"name": "shop", "tier": 3, "slo": {"availability": 0.95}})

    whole = told(said, TAGS)

    assert left_open(said) == {"owner", "slo-latency-ms", "depends-on"}
    assert (whole.tier, whole.owner) == (3, "team-shop")
    assert whole.slo == ServiceLevel(availability=0.95, latency_ms_p99=300)
    assert whole.depends_on == (
        Dependency(kind="service", name="stock"),
        Dependency(kind="table", name="carts"),
        Dependency(kind="queue", name="mails.fifo"),
    )


def test_tags_ask_for_more_care_and_never_for_less() -> None:
    lax = {"tier": "7", "slo-availability": "0.5", "slo-latency-ms": "90000"}

    assert learned_of(BARE, lax, "ev-t") is None
    assert learned_of(BARE, {**lax, "owner": "team-shop"}, "ev-t") == Learned(
        service="shop", owner="team-shop", evidence_id="ev-t"
    )


GRAVER = [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]
SOUND = st.fixed_dictionaries(
    {},
    optional={
        "tier": st.integers(0, 9).map(str),
        "slo-availability": st.floats(0.01, 0.9999).map(lambda one: f"{one:.5f}"),
        "slo-latency-ms": st.integers(1, 9_999_999).map(str),
        "depends-on": st.sampled_from(["service:stock", "table:carts queue:mails", "external:bank"]),
    },
)


@settings(max_examples=40)
@given(
    SOUND,
    st.one_of(st.none(), st.integers(0, 4)),
    st.lists(st.tuples(st.integers(0, 40), st.floats(10, 5000)), min_size=20, max_size=40),
)
def test_whatever_tags_say_no_severity_becomes_less_grave(
    tags: dict[str, str], tier: int | None, minutes: list[tuple[int, float]]
) -> None:
    """The errors of forty requests a minute, and how long these take."""
    service = (
        Service(name="shop", cluster="c") if tier is None else Service(name="shop", cluster="c", tier=tier)
    )
    at = [NOW - timedelta(minutes=n) for n in reversed(range(len(minutes)))]
    series = {
        "requests": [(one, 40.0) for one in at],
        "errors": [(one, float(n)) for one, (n, _) in zip(at, minutes, strict=True)],
        "latency": [(one, ms) for one, (_, ms) in zip(at, minutes, strict=True)],
    }

    def severity(of: Service) -> int:
        finding = service_finding(of, series, NOW - timedelta(minutes=5), NOW, "ev")
        found = rate(RUBRIC, [finding.impact] if finding.affected else [])[0]
        return GRAVER.index(found)

    whole = told(service, tags)
    assert severity(whole) >= severity(service)
    assert whole.tier <= service.tier
    assert tier is None or whole.tier == tier
    assert {one.name for one in service.depends_on} <= {one.name for one in whole.depends_on}


def test_what_was_learned_stands_until_settings_say_it_and_names_nothing_new() -> None:
    learned = learned_of(BARE, usable(TAGS)[0], "ev-t")
    assert learned is not None
    kept = Learned.model_validate_json(learned.model_dump_json())

    by_tags = with_learned(Topology(services=(BARE, STOCK)), [kept]).services[0]
    by_team = with_learned(
        Topology(services=(Service(name="shop", tier=4, owner="team-b"),)), [kept]
    ).services[0]

    assert by_tags == told(BARE, TAGS)
    assert (by_team.tier, by_team.owner) == (4, "team-b")
    assert with_learned(Topology(services=(STOCK,)), [kept]) == Topology(services=(STOCK,))


def test_a_part_that_only_tags_name_is_looked_at_too() -> None:
    for look in _around(_Account(TAGS), BARE):
        assert [service.name for service in look.near] == ["shop", "stock"]
        assert (look.tables, look.queues) == (("carts",), ("mails.fifo",))
        assert set(look.learned) == {"shop"}
        assert look.learned["shop"].evidence_id in look.seen
        look.taken("table", "carts")
        assert "table carts" in look.collecting.missing


def test_nobody_is_asked_for_the_tags_of_what_settings_know() -> None:
    account = _Account(TAGS)
    for look in _around(account, STOCK):
        assert account.asked == []
        assert look.near == (STOCK,)


def test_ten_services_are_one_call() -> None:
    account = _Account({})
    for _ in _around(account, *(Service(name=f"s{n}", cluster="c") for n in range(12))):
        assert sorted(map(len, account.asked)) == [2, 10]


@pytest.mark.parametrize("service", [BARE, Service(name="shop")])
def test_tags_that_cannot_be_read_are_named_and_stop_nothing(service: Service) -> None:
    for look in _around(_Account(TAGS, "AccessDeniedException"), service):
        assert look.near == (service,)
        assert look.collecting.missing == ["tags of shop"]


def test_a_tag_that_cannot_be_used_is_named() -> None:
    for look in _around(_Account({"tier": "urgent"}), BARE):
        assert look.collecting.missing == ["tag tier of shop (not usable)"]


def test_what_else_a_tag_says_is_not_kept_and_the_rest_can_be_asked_again() -> None:
    given = sources({"ecs": _Account(TAGS), "lambda": _Account({}, "ResourceNotFoundException")})

    seen, none = look_at_service_tags(given, "c", ("shop",)), look_at_function_tags(given, "stock")

    assert "note" not in tags_in(seen)["shop"]
    assert none.gaps == (Gap.NO_DATA,)
    again = [replay(given, one, one.result, COLLECTED).outcome for one in (seen, none)]
    assert again == [Outcome.SAME, Outcome.SAME]


def test_the_account_tells_the_tags_of_services_and_functions(
    shared_accounts: Callable[..., SimulatedAccount],
) -> None:
    account = shared_accounts("bad-deployment")
    given, after = sources_of(account), len(account.calls())
    known = {one.name: one for one in given.topology.services}

    seen = look_at_service_tags(given, "storefront", ("checkout", "web"))
    function = look_at_function_tags(given, "orders-events")

    told = {**tags_in(seen), **tags_in(function)}
    assert sorted(told) == ["checkout", "orders-events", "web"]
    for name, tags in told.items():
        assert (int(tags["tier"]), tags["owner"]) == (known[name].tier, known[name].owner)
    assert [one["operation"] for one in account.calls(after=after)] == ["DescribeServices", "ListTags"]


@pytest.mark.slow
def test_a_first_look_takes_from_tags_what_the_topology_leaves_out(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment", history_hours=3.0)
    account.advance_until("checkout-5xx", "ALARM", minutes=15)
    kept = Kept()
    whole = sources_of(account, kept)
    told = [one.model_dump(exclude={"tier", "owner"}) for one in whole.topology.services]
    given = replace(whole, topology=Topology.model_validate({"services": told}))

    look = take_first_look(given, incident_of(the_alarm(account), given.scope, account.now()), RUBRIC)

    tiers = {one.component: one.tier for one in look.impacts}
    assert tiers == {name: one.tier for name in tiers if (one := whole.topology.service(name))}
    assert set(tiers.values()) != {Service(name="unsaid").tier}
    tags = {one.evidence_id for one in kept.evidence if one.title.startswith("tags of")}
    assert tags
    assert tags <= set(look.evidence_ids)
    assert all(one.endswith(IN_PART) for one in look.not_checked)
