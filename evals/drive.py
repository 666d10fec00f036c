"""Play one scenario through the whole path, in an account of its own, and bring back what happened.

Nothing here knows the truth: approvals follow a policy fixed before the scenario starts.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from console.account import Account, Play, playing
from console.deciding import Answer, plan_of, put_decision
from console.drive import PATIENCE, NoAlarmError, await_event, drive, let_pass
from console.session import Session, open_session
from evals.account_log import workload_changes
from evals.account_state import AccountState, read_account, root_of
from evals.setting_off import set_off
from graphs.bootstrap import set_up
from graphs.copilot import Records
from graphs.settings import World, from_environment
from memory.records.incident_record import IncidentRecord

QUIET = timedelta(minutes=12)
ANSWERED = timedelta(minutes=5)
"""How long the evaluation's person takes to decide: nobody answers a page in the second that it comes."""
SETTLING = timedelta(minutes=6)
SECONDS = 120.0


@dataclass(frozen=True)
class Trial:
    """What to play, and how approvals are answered, and after how long.

    With `set_off` the named alarm is set off by hand after some quiet minutes, for scenarios without a fault.
    A `renamed` one is judged under other names, numbers, times and wordings, which its seed chooses.
    """

    scenario: str
    scenarios: Path | None = None
    seed: int = 1
    approve: bool = True
    set_off: str | None = None
    answered: timedelta = ANSWERED
    renamed: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a trial: the record, the copilot's calls by the account's own log, the alarms, the time taken.

    There is no record when no alarm came. `started` is the account's time at which the scenario began; `before` is
    how the account stood before anything was changed, `after` how it stands at the end.
    """

    trial: Trial
    record: IncidentRecord | None
    calls: tuple[dict[str, Any], ...]
    alarms: dict[str, str]
    seconds: float
    started: datetime | None = None
    before: AccountState | None = None
    after: AccountState | None = None


def play(trial: Trial) -> Outcome:
    """Start an account, wait for its alarm, and follow the incident to its end."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cloudops-eval-") as folder:
        asked = Play(trial.scenario, trial.scenarios, trial.seed)
        with playing(asked, Path(folder), keep=False) as account:
            settings = from_environment(World.SIMULATED, Path(folder))
            set_up(settings)
            session = open_session(settings)
            return follow(trial, account, session.records, lambda: session, began)


def follow(
    trial: Trial, account: Account, records: Records, opened: Callable[[], Session], began: float
) -> Outcome:
    """Wait for the alarm, follow its incident to the end in the session that is then opened, and bring back all."""
    number, started = 0, records.clock.now()
    record: IncidentRecord | None = None
    looked: list[AccountState] = []

    def own() -> tuple[dict[str, Any], ...]:
        return tuple(one for one in _calls(account, number) if records.is_own(one["caller_arn"]))

    def look() -> None:
        """Look at the account as long as nothing is changed: what happens by itself until then is no change."""
        if not workload_changes(own()):
            looked[:] = [_account(records)]

    event = _event(trial, records)
    if event is not None:
        number = len(_calls(account, 0))
        look()
        record = _to_the_end(trial, opened(), event, look)
        records.clock.wait_until(records.clock.now() + SETTLING)
    calls, after = own(), _account(records)
    seconds = time.monotonic() - began
    return Outcome(
        trial, record, calls, dict(after.alarms), seconds, started, next(iter(looked), None), after
    )


def _account(records: Records) -> AccountState:
    return read_account(root_of(records.access, records.settings.state_dir), records.clock.now())


def _event(trial: Trial, records: Records) -> dict[str, Any] | None:
    if trial.set_off is not None:
        records.clock.wait_until(records.clock.now() + QUIET)
        set_off(records.access, records.settings.state_dir, trial.set_off)
    try:
        return await_event(records, PATIENCE)
    except NoAlarmError:
        return None


def _to_the_end(
    trial: Trial, session: Session, event: dict[str, Any], look: Callable[[], None]
) -> IncidentRecord:
    records, runs = session.records, session.runs
    started = runs.start(event)
    if started.incident_id is None:
        raise NoAlarmError(f"the alarm of {trial.scenario} opened no incident: {started.route.value}")
    incident_id = started.incident_id

    def ask(waiting: IncidentRecord) -> None:
        if let_pass(records, runs, incident_id, records.clock.now() + trial.answered):
            look()
            answer = Answer(
                trial.approve,
                plan_of(records.incidents.record(incident_id) or waiting),
                "the evaluation's standing answer",
            )
            put_decision(records, runs, incident_id, answer)

    record = drive(records, runs, incident_id, ask)
    session.copilot.flush()
    return records.incidents.record(incident_id) or record


def _calls(account: Account, after: int) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{account.endpoint}/_sim/calls", params={"after": after}, timeout=SECONDS, trust_env=False
    )
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["calls"]
    return found
