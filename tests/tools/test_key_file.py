"""A key is made once and whole, whoever asks for it at the same time and wherever whoever makes it is killed."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.simulated import ROOT
from tools.key_file import kept_key

# Ends itself, as if it were killed, at the call to the system that is named.
KILLED = """
import os, sys
from pathlib import Path
from tools.key_file import kept_key

name, path = sys.argv[1], Path(sys.argv[2])
real = getattr(os, name)


def killed(*args, **more):
    if name == "fdopen":
        os.write(args[0], b"half")
    os._exit(9)


setattr(os, name, killed)
kept_key(path, lambda: b"k" * 64)
"""


def test_all_who_ask_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "state" / "a.key"
    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda _: kept_key(path, lambda: os.urandom(64)), range(64)))
    assert found == {path.read_bytes()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["a.key"]


@pytest.mark.parametrize("call", ["open", "fdopen", "fsync", "link"])
def test_whoever_makes_it_and_is_killed_leaves_no_half_of_a_key(tmp_path: Path, call: str) -> None:
    path = tmp_path / "a.key"
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, call, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ended.returncode == 9
    assert not path.exists()
    assert kept_key(path, lambda: b"n" * 64) == b"n" * 64


def test_a_key_that_stands_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(b"stands")

    def never() -> bytes:
        raise AssertionError("a key stands already")

    assert kept_key(path, never) == b"stands"
