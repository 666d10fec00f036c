"""Which service an action is about, by what it acts on, and how far the copilot may go with it."""

from typing import Any

import pytest

from graphs.autonomy import AutonomySettings, LevelRow
from memory.records.config import Autonomy, Dependency, Service, Switch, Topology
from memory.records.incident import Severity
from memory.records.plan import PlannedAction
from tools.inspection import Inspection
from tools.policy import Circumstances
from tools.touched import touched

SWITCHED = Dependency(
    kind="external", name="rates.example", switch=Switch(parameter="/flags/rates", value="off")
)
ACCOUNT = "111122223333"
TOPOLOGY = Topology(
    services=(
        Service(name="web", depends_on=(Dependency(kind="service", name="shop"), SWITCHED)),
        Service(
            name="shop",
            cluster="mall",
            log_group="/logs/a7",
            depends_on=(Dependency(kind="table", name="carts"), Dependency(kind="queue", name="sold.fifo")),
        ),
        Service(name="mailer", depends_on=(Dependency(kind="queue", name="sold.fifo"),)),
        Service(name="price-list"),
    )
)


@pytest.mark.parametrize(
    ("parameters", "services"),
    [
        ({"cluster": "mall", "service": "shop", "desired_count": 3}, {"shop"}),
        ({"cluster": "mall", "service": "other"}, {"other"}),
        ({"cluster": "mall", "service": "shop-canary"}, {"shop-canary", "shop"}),
        ({"name": "/mall/shop/timeout-ms", "version": 3}, {"shop"}),
        ({"name": "/flags/rates", "value": "off"}, {"web"}),
        ({"table": "carts", "read_capacity_units": 9}, {"shop"}),
        ({"document": "Mall-Set", "values": {"TableName": "carts"}, "after": ""}, {"shop"}),
        ({"document": "Mall-Set", "values": {"Targets": ["arn:aws:ecs:r:1:service/mall/shop"]}}, {"shop"}),
        ({"document": "Mall-Set", "values": {"Name": "vault"}}, {"vault"}),
        ({"queue": "sold.fifo", "max_receives": 5}, {"shop", "mailer"}),
        ({"function": "mailer", "reserved": 4}, {"mailer"}),
        ({"function": "Price_List-writer"}, {"price-list"}),
        ({"document": "Mall-Set", "values": {"Name": "SHOP"}}, {"shop"}),
        ({"document": "Mall-Set", "values": {"Path": "Mailer/carts"}}, {"shop", "mailer"}),
        ({"table": "workshop"}, None),
        ({"count": 3}, None),
    ],
)
def test_what_is_acted_on_says_which_services_are_meant(
    parameters: dict[str, Any], services: set[str] | None
) -> None:
    assert touched(parameters, TOPOLOGY, {"vault"}) == services


@pytest.mark.parametrize(
    ("parameters", "level"),
    [
        ({"name": "/mall/shop/timeout-ms"}, Autonomy.OBSERVE),
        ({"document": "Mall-Set", "values": {"TableName": "carts"}}, Autonomy.OBSERVE),
        ({"queue": "sold.fifo"}, Autonomy.OBSERVE),
        ({"function": "mailer"}, Autonomy.PROPOSE),
        ({"function": "price-list"}, Autonomy.ACT_ON_MEDIUM),
        ({"table": "of-nobody"}, Autonomy.OBSERVE),
    ],
)
def test_an_action_has_the_lowest_level_of_the_services_that_it_may_be_about(
    parameters: dict[str, Any], level: Autonomy
) -> None:
    rows = (
        LevelRow(level=Autonomy.OBSERVE, service="shop"),
        LevelRow(level=Autonomy.PROPOSE, service="mailer"),
        LevelRow(level=Autonomy.OBSERVE, service="price-list", action="another"),
    )
    settings = AutonomySettings(accounts={ACCOUNT: Autonomy.ACT_ON_MEDIUM}, levels=rows)
    here = settings.in_account(ACCOUNT, simulated=False)
    around = Circumstances(
        ACCOUNT,
        Severity.LOW,
        here.level,
        services=frozenset({"web"}),
        topology=TOPOLOGY,
        known=here.named_services,
        level_of=here.level_of,
        approvers=lambda _: 1,
    )

    looked = Inspection(PlannedAction(action="turn", parameters=parameters))
    assert around.level(looked) is level
    assert ("is not known" in around.why_level(looked)) == ("of-nobody" in parameters.values())


@pytest.mark.parametrize("meant", ["Shop", "SHOP", "shop"])
def test_a_level_meets_its_service_however_it_is_written(meant: str) -> None:
    rows = (LevelRow(level=Autonomy.OBSERVE, service=meant),)
    here = AutonomySettings(accounts={ACCOUNT: Autonomy.ACT_ON_MEDIUM}, levels=rows).in_account(
        ACCOUNT, simulated=False
    )
    for parameters in ({"service": "shop"}, {"table": "carts"}, {"name": "/mall/shop/timeout-ms"}):
        about = touched(parameters, TOPOLOGY, here.named_services)
        assert here.level_of("turn", about) is Autonomy.OBSERVE
    assert here.level_of("turn", touched({"service": "mailer"}, TOPOLOGY)) is Autonomy.ACT_ON_MEDIUM


def test_a_path_is_about_no_service_for_an_empty_name_or_one_without_letters() -> None:
    topology = Topology(services=(Service(name="mailer", log_group=""), Service(name="\u652f\u6255")))
    rows = (
        LevelRow(level=Autonomy.OBSERVE, account="", service="shop"),
        LevelRow(level=Autonomy.PROPOSE, action="turn"),
    )
    here = AutonomySettings(accounts={ACCOUNT: Autonomy.ACT_ON_MEDIUM}, levels=rows).in_account(
        ACCOUNT, simulated=False
    )

    for path in ("/nowhere/else", "//"):
        about = touched({"name": path}, topology, here.named_services)
        assert about is None and here.level_of("turn", about) is Autonomy.OBSERVE
