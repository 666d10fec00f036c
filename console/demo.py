"""Play one scenario from its alarm to its end, live in the terminal."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from console.account import Account, Play, playing, running
from console.check import Claim, check_claims
from console.deciding import Answering, put_decision, standing_answer
from console.drive import StuckError, await_event, drive
from console.inspecting import record_json
from console.live import Tail
from console.report import write_out
from console.session import Session, open_session
from console.story import Story
from console.text import screen, styled
from graphs.bootstrap import set_up
from graphs.copilot import Records
from graphs.settings import World, from_environment, state_dir_here
from memory.records.incident import incident_of
from memory.records.incident_record import IncidentRecord
from tools.intake import parse_event


@dataclass(frozen=True)
class Demo:
    """What to play, who answers, and what to leave behind."""

    play: Play
    choice: Literal["approve", "deny"] | None = None
    as_json: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Played:
    """How a demo ended: the record, what the account shows of it, and where it was written."""

    record: IncidentRecord
    claims: list[Claim]
    folder: Path

    @property
    def holds(self) -> bool:
        """Say whether the account shows everything that the record claims."""
        return all(claim.holds for claim in self.claims)


def run_demo(demo: Demo) -> int:
    """Play, print, and end with 0 only when the account shows what the record claims."""
    console = screen(err=demo.as_json)
    if demo.as_json and not console.is_terminal:
        console.quiet = True
    try:
        played = play(demo, console, standing_answer(demo.choice, asking=not demo.as_json))
    except KeyboardInterrupt:
        stands = demo.keep and running(state_dir_here()) is not None
        left = "goes on: `cloudops sim down` ends it" if stands else "was ended, and what it held is gone"
        screen(err=True).print(styled(f"\ninterrupted; the simulated account {left}"))
        raise
    if demo.as_json:
        screen().file.write(record_json(played.record) + "\n")
    return 0 if played.holds else 1


def play(demo: Demo, console: Console, answering: Answering) -> Played:
    """Play one scenario with its story on a console."""
    began = time.monotonic()
    with _state_dir(keep=demo.keep) as state_dir:
        console.print(styled(f"starting a simulated account that plays {demo.play.scenario}", "dim"))
        with playing(demo.play, state_dir, keep=demo.keep) as account:
            session = _open(state_dir)
            _introduce(console, account)
            record = _from_alarm_to_end(session, console, answering)
            played = _check_and_write(session.records, record)
            Story(console, session.records).sum_up(played.record)
            _conclude(console, played, time.monotonic() - began, demo)
            return played


@contextmanager
def _state_dir(*, keep: bool) -> Iterator[Path]:
    """Give the usual state directory to an account that stays, and a passing one to any other."""
    if keep:
        yield state_dir_here()
        return
    with tempfile.TemporaryDirectory(prefix="cloudops-") as folder:
        yield Path(folder)


def _open(state_dir: Path) -> Session:
    settings = from_environment(World.SIMULATED, state_dir)
    set_up(settings)
    return open_session(settings)


def _introduce(console: Console, account: Account) -> None:
    facts = account.status()
    console.print(styled(str(facts.get("title") or facts["scenario"]), "bold"))
    where = f"account {facts['account']}, {facts['region']}, {account.endpoint}, time {facts['now'][:16]}Z"
    console.print(styled(where, "dim"))
    console.print(styled("waiting for an alarm by EventBridge and SQS", "dim"))


def _from_alarm_to_end(session: Session, console: Console, answering: Answering) -> IncidentRecord:
    records, runs = session.records, session.runs
    event = await_event(records)
    envelope = parse_event(event, records.clock.now(), records.settings.tenant)
    if envelope.alarm is None:
        raise StuckError("the event from the queue is no alarm")
    incident_id = incident_of(envelope, envelope.alarm).incident_id
    tail = Tail(records, envelope.alarm.scope, incident_id, Story(console, records).tell)
    console.print()
    with tail.following():
        runs.start(event)

    def ask(record: IncidentRecord) -> None:
        tail.read()
        put_decision(records, runs, incident_id, answering(record))

    with tail.following():
        record = drive(records, runs, incident_id, ask)
    session.copilot.flush()
    return record


def _check_and_write(records: Records, record: IncidentRecord) -> Played:
    """Look at the account as it is at the end, and write the record with its report."""
    record = records.incidents.record(record.incident.incident_id) or record
    return Played(record, check_claims(records, record), write_out(records, record))


def _conclude(console: Console, played: Played, seconds: float, demo: Demo) -> None:
    records_name = played.folder.name
    console.print()
    for claim in played.claims:
        sign, style = ("✓", "green") if claim.holds else ("✗", "bold red")
        console.print(styled(f"{sign} {claim.text}", style))
    console.print()
    console.print(styled(f"{_shown(played.folder)}/report.html", "bold"), soft_wrap=True)
    console.print(styled(f"{_shown(played.folder)}/incident.json"), soft_wrap=True)
    console.print(styled(f"{seconds:.0f} s of your time", "dim"))
    if demo.keep:
        console.print(
            styled(f"the account stays: cloudops show {records_name[:8]}; cloudops sim down", "dim")
        )


def _shown(folder: Path) -> str:
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
