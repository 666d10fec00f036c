"""Rows that load and are about nothing: the doctor names each."""

from datetime import UTC, datetime

from console.findings import Finding
from console.named_rows import look_at_accounts, look_at_services
from graphs.autonomy import AutonomySettings, Freeze, LevelRow
from memory.records.config import Autonomy

HERE, KNOWN, SLIPPED = "111122223333", "444455556666", "444455556665"
ROWS = AutonomySettings(
    accounts={KNOWN: Autonomy.PROPOSE},
    levels=(
        LevelRow(level=Autonomy.OBSERVE, service="Web"),
        LevelRow(level=Autonomy.OBSERVE, service="chekout", account=KNOWN),
        LevelRow(level=Autonomy.OBSERVE, action="ecs_rollback_service", account=SLIPPED),
    ),
    freezes=(
        Freeze(
            name="year",
            begins=datetime(2026, 12, 20, tzinfo=UTC),
            ends=datetime(2027, 1, 5, tzinfo=UTC),
            accounts=(HERE, "simulated", SLIPPED),
        ),
    ),
)


def test_a_level_for_a_service_that_is_not_in_the_topology_is_to_be_mended() -> None:
    (line,) = look_at_services(ROWS, ["web", "checkout"])
    assert line.finding is Finding.BAD
    assert "levels.1: no service chekout" in line.what and "topology.toml" in line.remedy


def test_a_row_for_an_account_that_is_named_nowhere_else_is_named() -> None:
    found = list(look_at_accounts(ROWS, HERE))
    assert {line.finding for line in found} == {Finding.NOTE}
    assert [line.what.partition(": ")[0] for line in found] == [
        "settings/autonomy.toml, levels.2",
        "settings/autonomy.toml, freezes.0",
    ]
    assert all(SLIPPED in line.what for line in found)
