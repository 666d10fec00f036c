import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.simulated import StartAccount, started_account


def test_it_says_where_it_is_and_ends_cleanly(tmp_path: Path) -> None:
    account = started_account(tmp_path, history_hours=0.1)

    local = json.loads((tmp_path / "local.json").read_text())
    assert local["endpoint"].startswith("http://127.0.0.1:")
    assert local["pid"] == account.process.pid
    assert local["account"] == "123456789012"
    assert local["scenario"] == "bad-deployment"
    assert set(local) == {
        *("endpoint", "region", "account", "access_key_id", "secret_access_key"),
        *("root_access_key_id", "root_secret_access_key"),
        *("clock", "pid", "scenario", "scenarios_dir", "started_at"),
    }

    account.process.send_signal(signal.SIGTERM)
    assert account.process.wait(timeout=10) == 0
    assert not (tmp_path / "local.json").exists()
    assert (tmp_path / "stderr.txt").read_text() == ""


def test_it_leaves_the_file_of_an_account_that_came_later(tmp_path: Path) -> None:
    account = started_account(tmp_path, history_hours=0.1)
    (tmp_path / "local.json").write_text(json.dumps({"pid": 1}))

    account.end()

    assert json.loads((tmp_path / "local.json").read_text()) == {"pid": 1}


def test_it_does_not_outlive_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    account = started_account(tmp_path, history_hours=0.1, parent_pid=parent.pid)

    parent.kill()
    parent.wait()
    began = time.monotonic()
    account.process.wait(timeout=5)

    assert time.monotonic() - began < 2
    assert not (tmp_path / "local.json").exists()


def test_it_does_not_outlive_the_parent_that_started_it(tmp_path: Path) -> None:
    starting = (
        "import subprocess, sys, os, time; "
        "subprocess.Popen([sys.executable, '-m', 'simulator', '--scenario', 'bad-deployment', "
        f"'--history-hours', '0.1', '--state-dir', {str(tmp_path)!r}, '--parent-pid', str(os.getpid())]); "
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", starting], stdout=subprocess.DEVNULL) as parent:
        pid = _until(lambda: json.loads((tmp_path / "local.json").read_text())["pid"])
        parent.kill()
        began = time.monotonic()
    _until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid) or None)

    assert time.monotonic() - began < 2


def test_an_unknown_scenario_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulator", "--scenario", "nonesuch", "--state-dir", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)

    assert ended.returncode == 1
    assert "no scenario 'nonesuch'" in ended.stderr
    assert "bad-deployment" in ended.stderr


def test_it_listens_on_loopback_only(simulated_account: StartAccount) -> None:
    account = simulated_account(history_hours=0.1)
    port = int(account.endpoint.rpartition(":")[2])

    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{account.process.pid}/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
    ]

    assert listening == [f"0100007F:{port:04X}"]


def test_the_truth_of_a_scenario_is_never_opened() -> None:
    package = Path(__file__).parent.parent.parent / "simulator"

    assert not [file for file in package.rglob("*.py") if "truth.toml" in file.read_text()]


def _until(found: "object") -> "object":
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            value = found()  # type: ignore[operator]
        except (FileNotFoundError, json.JSONDecodeError):
            value = None
        if value is not None:
            return value
        time.sleep(0.05)
    raise AssertionError("waited too long")


def _is_zombie(pid: object) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
