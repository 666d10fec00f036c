"""An account in one file, between the end of a process and the start of the next."""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulator.account import Opening
from simulator.bedrock.app import BedrockApp
from simulator.clock import iso
from simulator.control.running import Injection, ReadScenario, Running, run_account
from simulator.emulator import Emulator
from simulator.iam.gate import Gate
from simulator.keeping.emulated import EmulatedState
from simulator.keeping.kinds import UnkeptError
from simulator.keeping.reading import Reader
from simulator.keeping.writing import Writer
from simulator.waits import AccountWaits

FORMAT = 1
# These know nothing that is worth keeping: sessions and caches end with the process.
_PARTS = (Emulator, BedrockApp, Gate, AccountWaits)


@dataclass(frozen=True)
class Origin:
    """How the account was opened, so that it can be opened again before its state is taken up."""

    scenario: str
    scenarios_dir: str | None
    seed: int
    start: str
    history_seconds: float
    port: int
    pace: float
    root: tuple[str, str]


def keep(file: Path, running: Running, origin: Origin) -> None:
    """Write the account down, whole or not at all."""
    with _uncollected():
        kept = {
            "format": FORMAT,
            "origin": asdict(origin),
            "injections": [one.as_json() for one in running.injections],
            "emulator": EmulatedState().kept(),
            "account": Writer(_PARTS).written(running.account),
        }
        text = json.dumps(kept, separators=(",", ":"))
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def read_kept(file: Path) -> dict[str, Any]:
    """What was kept, or UnkeptError where it cannot be taken up here."""
    try:
        with _uncollected():
            kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnkeptError(f"no account was kept in {file}") from None
    except ValueError as error:
        raise UnkeptError(f"{file} is no kept account: {error}") from error
    if kept.get("format") != FORMAT:
        raise UnkeptError(f"{file} was kept by another version, in format {kept.get('format')}")
    return kept


def origin_of(kept: dict[str, Any]) -> Origin:
    """How a kept account was opened."""
    facts = kept["origin"]
    return Origin(**{**facts, "root": tuple(facts["root"])})


async def resumed(opening: Opening, emulator: Emulator, read: ReadScenario, kept: dict[str, Any]) -> Running:
    """The account that was kept, opened again. Its history is not lived through a second time."""
    running = await run_account(replace(opening, history=timedelta(0)), emulator, read)
    running.opening = opening
    take_up(running, kept)
    return running


def take_up(running: Running, kept: dict[str, Any]) -> None:
    """Let the account that was just opened be the one that was kept."""
    for one in kept["injections"]:
        folder = Path(one["scenarios_dir"]) if one["scenarios_dir"] else None
        running.injections.append(Injection(one["scenario"], folder, datetime.fromisoformat(one["at"])))
    try:
        with _uncollected():
            found = Reader().read(kept["account"], running.account)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise UnkeptError(f"the account was kept by another version: {error!r}") from error
    if found is not running.account:
        raise UnkeptError("the account was kept by another version")
    EmulatedState().restore(kept["emulator"])
    running.account.automation.interrupt()


def origin(running: Running, scenarios: Path | None, pace: float) -> Origin:
    """How an account was opened."""
    opening = running.opening
    history: timedelta = opening.history
    return Origin(
        opening.world.name,
        str(scenarios.resolve()) if scenarios else None,
        opening.seed,
        iso(opening.start),
        history.total_seconds(),
        int(opening.endpoint.rpartition(":")[2]),
        pace,
        (opening.root.access_key_id, opening.root.secret_access_key),
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Make millions of lists without looking through them for garbage, which takes as long again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
