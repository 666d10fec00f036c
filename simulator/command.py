"""The command `python -m simulator`: runs one simulated account until told to end."""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from simulator.account import Opening
from simulator.clock import aware_iso, floored, iso, wall_minute
from simulator.control.pacing import Pacer
from simulator.control.plane import Control
from simulator.control.running import Running, run_account
from simulator.emulator import Emulator
from simulator.host import HOST, Front, host, listening_socket
from simulator.iam.store import RootKey
from simulator.keeping.kinds import UnkeptError
from simulator.keeping.snapshot import keep, origin, origin_of, read_kept, resumed
from simulator.scenario import ScenarioError, read_scenario
from simulator.wire.protocol import ACCOUNT, REGION

WATCH_SECONDS = 0.2
LOCAL_FILE = "local.json"
KEPT_FILE = "account.json"


def main() -> None:
    """Open the account, say where it is, and serve it until told to end."""
    arguments = _arguments()
    try:
        asyncio.run(_run(arguments))
    except (ScenarioError, UnkeptError) as error:
        sys.exit(str(error))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="An AWS account on this machine."
    )
    begins = parser.add_mutually_exclusive_group(required=True)
    begins.add_argument("--scenario", help="what happens in the account")
    begins.add_argument("--resume", action="store_true", help="go on with the account that was kept")
    parser.add_argument("--keep", action="store_true", help="keep the account when it is told to end")
    parser.add_argument("--scenarios", type=Path, help="a folder of scenarios beside those that come along")
    parser.add_argument(
        "--state-dir", type=Path, default=Path(".cloudops"), help="where local.json is written"
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--pace", type=float, default=0.0, help="account seconds a second; 0 stands still")
    parser.add_argument("--seed", type=int, default=0, help="of the account's chance")
    parser.add_argument("--start", type=aware_iso, help="account time at the start, instead of now")
    parser.add_argument("--parent-pid", type=int, help="end when this process has ended")
    parser.add_argument(
        "--history-hours", type=float, default=24.0, help="how much has happened before the start"
    )
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    kept = _kept_origin(arguments) if arguments.resume else None
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    watch = asyncio.create_task(_watch(arguments.parent_pid, ended))
    with _listener(arguments) as listener, tempfile.TemporaryDirectory() as scratch:
        running = await _opened(arguments, listener.getsockname()[1], scratch, kept)
        pacer = Pacer(running, arguments.pace)
        local = LocalFile(arguments.state_dir / LOCAL_FILE)

        def ready() -> None:
            local.write(running, arguments.scenarios)
            sys.stdout.write(f"ready {running.opening.endpoint}\n")
            sys.stdout.flush()

        pacing = asyncio.create_task(pacer.run())
        try:
            await host(Front(running, Control(running, pacer), ready), listener, ended)
            pacing.cancel()
            if arguments.keep:
                began = origin(running, arguments.scenarios, pacer.pace)
                async with running.account.between_ticks():
                    keep(arguments.state_dir / KEPT_FILE, running, began)
        finally:
            local.remove()
            pacing.cancel()
            watch.cancel()


async def _opened(
    arguments: argparse.Namespace, port: int, scratch: str, kept: dict[str, Any] | None
) -> Running:
    read = partial(read_scenario, seed=arguments.seed)
    world = read(arguments.scenario, arguments.scenarios)
    start = floored(arguments.start or wall_minute(), timedelta(minutes=1))
    history = timedelta(hours=arguments.history_hours)
    opening = Opening(world, start, history, arguments.seed, f"http://{HOST}:{port}")
    if kept is None:
        return await run_account(opening, Emulator(port, scratch), read)
    opening = replace(opening, root=RootKey(*origin_of(kept).root))
    return await resumed(opening, Emulator(port, scratch), read, kept)


def _kept_origin(arguments: argparse.Namespace) -> dict[str, Any]:
    """Open the kept account as it was opened the first time; what it holds is returned."""
    kept = read_kept(arguments.state_dir / KEPT_FILE)
    began = origin_of(kept)
    arguments.scenario, arguments.seed = began.scenario, began.seed
    arguments.scenarios = Path(began.scenarios_dir) if began.scenarios_dir else None
    arguments.start, arguments.history_hours = aware_iso(began.start), began.history_seconds / 3600
    arguments.port, arguments.pace = arguments.port or began.port, arguments.pace or began.pace
    return kept


def _listener(arguments: argparse.Namespace) -> socket.socket:
    """Where the account listens. A kept one goes where it was, unless somebody else is there now."""
    try:
        return listening_socket(arguments.port)
    except OSError:
        if not arguments.resume:
            raise
        return listening_socket(0)


class LocalFile:
    """The file that tells others on this machine where the account is."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, running: Running, scenarios: Path | None) -> None:
        """Write the file whole or not at all."""
        account, endpoint = running.account, running.opening.endpoint
        facts = {
            "endpoint": endpoint,
            "region": REGION,
            "account": ACCOUNT,
            "access_key_id": account.credentials.access_key_id,
            "secret_access_key": account.credentials.secret_access_key,
            "root_access_key_id": running.opening.root.access_key_id,
            "root_secret_access_key": running.opening.root.secret_access_key,
            "clock": f"{endpoint}/_sim/clock",
            "pid": os.getpid(),
            "scenario": account.world.name,
            "scenarios_dir": str(scenarios.resolve()) if scenarios else None,
            "started_at": iso(datetime.now().astimezone()),
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(self._file)

    def remove(self) -> None:
        """Remove the file, unless another account has written it since."""
        with suppress(FileNotFoundError, json.JSONDecodeError):
            if json.loads(self._file.read_text(encoding="utf-8")).get("pid") == os.getpid():
                self._file.unlink()


async def _watch(parent: int | None, ended: asyncio.Event) -> None:
    """End when the parent has ended. A child learns that by having been given another parent."""
    is_child = parent == os.getppid()
    while parent is not None:
        if (is_child and os.getppid() != parent) or not _is_alive(parent):
            ended.set()
            return
        await asyncio.sleep(WATCH_SECONDS)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
