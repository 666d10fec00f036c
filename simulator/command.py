"""The command `python -m simulator`: runs one simulated account until told to end."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from simulator.account import Opening
from simulator.clock import aware_iso, floored, iso, wall_minute
from simulator.control.pacing import Pacer
from simulator.control.plane import Control
from simulator.control.running import Running, run_account
from simulator.emulator import Emulator
from simulator.host import HOST, Front, host, listening_socket
from simulator.scenario import ScenarioError, read_scenario
from simulator.wire.protocol import ACCOUNT, REGION

WATCH_SECONDS = 0.2
LOCAL_FILE = "local.json"


def main() -> None:
    """Open the account, say where it is, and serve it until told to end."""
    arguments = _arguments()
    try:
        asyncio.run(_run(arguments))
    except ScenarioError as error:
        sys.exit(str(error))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="An AWS account on this machine."
    )
    parser.add_argument("--scenario", required=True, help="what happens in the account")
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
    world = read_scenario(arguments.scenario, arguments.scenarios, arguments.seed)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    watch = asyncio.create_task(_watch(arguments.parent_pid, ended))
    start = floored(arguments.start or wall_minute(), timedelta(minutes=1))
    history = timedelta(hours=arguments.history_hours)
    with listening_socket(arguments.port) as listener, tempfile.TemporaryDirectory() as scratch:
        port = listener.getsockname()[1]
        endpoint = f"http://{HOST}:{port}"
        opening = Opening(world, start, history, arguments.seed, endpoint)
        running = await run_account(opening, Emulator(port, scratch), read_scenario)
        pacer = Pacer(running, arguments.pace)
        local = LocalFile(arguments.state_dir / LOCAL_FILE)

        def ready() -> None:
            local.write(running, arguments.scenarios)
            sys.stdout.write(f"ready {endpoint}\n")
            sys.stdout.flush()

        pacing = asyncio.create_task(pacer.run())
        try:
            await host(Front(running, Control(running, pacer), ready), listener, ended)
        finally:
            local.remove()
            pacing.cancel()
            watch.cancel()


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
