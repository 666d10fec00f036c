import threading
from datetime import UTC, datetime, timedelta

import pytest

from simulator.clock import AccountClock, BackwardsError, aware_iso, floored, iso
from tests.simulated import ControlRefusedError, SimulatedAccount, StartAccount


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("hidden-cause")


def test_account_time_stands_still_until_it_is_moved(account: SimulatedAccount) -> None:
    before = account.now()
    account.client("sts").get_caller_identity()

    assert account.now() == before
    assert account.advance(90) == before + timedelta(seconds=90)


def test_the_clock_moves_to_a_moment(account: SimulatedAccount) -> None:
    target = account.now() + timedelta(minutes=2, seconds=7)

    account.control("POST", "clock", {"until": iso(target)})

    assert account.now() == target


def test_time_does_not_run_backwards(account: SimulatedAccount) -> None:
    past = iso(account.now() - timedelta(seconds=1))

    with pytest.raises(ControlRefusedError, match="400"):
        account.control("POST", "clock", {"until": past})


@pytest.mark.parametrize(
    "order",
    [{}, {"advance_seconds": -1}, {"advance_seconds": 1, "pace": 1}, {"until": "soon"}, {"wait": 3}, []],
)
def test_a_bad_order_is_refused(account: SimulatedAccount, order: object) -> None:
    with pytest.raises(ControlRefusedError, match="400"):
        account.control("POST", "clock", order)


def test_more_than_two_days_at_once_are_refused(account: SimulatedAccount) -> None:
    with pytest.raises(ControlRefusedError, match="at most"):
        account.advance(hours=49)


def test_advances_come_one_after_the_other(account: SimulatedAccount) -> None:
    before = account.now()
    threads = [threading.Thread(target=lambda: account.advance(60)) for _ in range(4)]

    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert account.now() == before + timedelta(minutes=4)


def test_calls_are_answered_while_time_passes(account: SimulatedAccount) -> None:
    passing = threading.Thread(target=lambda: account.advance(hours=2))
    passing.start()
    seen = set()
    while passing.is_alive():
        seen.add(account.alarm("web-latency")["StateValue"])
        seen.add(iso(account.now()))
    passing.join()

    assert len(seen) > 2


def test_a_pace_moves_the_clock_by_itself(simulated_account: StartAccount) -> None:
    account = simulated_account("hidden-cause", history_hours=0.1)
    before = account.now()

    assert account.control("POST", "clock", {"pace": 600.0})["pace"] == 600.0
    threading.Event().wait(1.2)
    account.control("POST", "clock", {"pace": 0})

    assert timedelta(minutes=3) < account.now() - before < timedelta(minutes=30)


def test_the_status_names_the_scenario(account: SimulatedAccount) -> None:
    status = account.control("GET", "status")

    assert status["scenario"] == "hidden-cause"
    assert status["title"]
    assert status["pid"] == account.process.pid
    assert status["now"] == iso(account.now())


def test_a_clock_refuses_to_go_back() -> None:
    clock = AccountClock(datetime(2026, 1, 1, tzinfo=UTC))

    with pytest.raises(BackwardsError):
        clock.move_to(datetime(2025, 12, 31, tzinfo=UTC))
    with pytest.raises(ValueError, match="aware"):
        AccountClock(datetime(2026, 1, 1))  # noqa: DTZ001


def test_times_are_written_and_read_in_utc() -> None:
    assert iso(aware_iso("2026-11-23T10:00:00+01:00")) == "2026-11-23T09:00:00.000Z"
    assert iso(aware_iso("2026-11-23T09:00:00")) == "2026-11-23T09:00:00.000Z"
    assert iso(floored(aware_iso("2026-11-23T09:01:59Z"), timedelta(minutes=1))) == "2026-11-23T09:01:00.000Z"
