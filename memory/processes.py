"""Which process holds something, and whether it is known to have ended.

A host's name and a process's number say too little: containers share names, each pid namespace counts from 1, and
numbers come again. On Linux a process is one start time in one pid namespace of one boot of one kernel (proc(5),
pid_namespaces(7)). Where that cannot be read nothing is known, and whatever the process holds has to lapse.
"""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROC = Path("/proc")
# The states of a process that has ended and was not yet waited for, in /proc/PID/stat.
ENDED = frozenset({"Z", "X", "x"})
# Where field 3, the state, and field 22, the start in clock ticks since boot, stand behind the command's name.
_STATE, _STARTED = 0, 19


def this_process() -> dict[str, Any]:
    """Return what tells this process from every other, as far as the system says."""
    pid = os.getpid()
    return {
        "host": socket.gethostname(),
        "pid": pid,
        "boot": _boot(),
        "pid_namespace": _pid_namespace(),
        "started": (_stat(pid) or {}).get("started"),
    }


def is_gone(holder: Mapping[str, Any]) -> bool:
    """Say whether a holder, told by `this_process`, is known to run no longer. Not known is no."""
    here = {"host": socket.gethostname(), "boot": _boot(), "pid_namespace": _pid_namespace()}
    if None in here.values() or any(holder.get(name) != value for name, value in here.items()):
        return False
    if holder.get("started") is None:
        return False
    return not _runs(int(holder["pid"]), holder["started"])


def _runs(pid: int, started: Any) -> bool:
    # The signal is asked first: a /proc mounted with hidepid shows no process of another user.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    stat = _stat(pid)
    return stat is None or (stat["started"] == started and stat["state"] not in ENDED)


def _boot() -> str | None:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def _pid_namespace() -> str | None:
    try:
        return str((PROC / "self/ns/pid").readlink())
    except OSError:
        return None


def _stat(pid: int) -> dict[str, Any] | None:
    """Return the state and the start of a process. Its name stands in brackets and may hold anything."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return {"state": fields[_STATE], "started": int(fields[_STARTED])}
    except (OSError, ValueError, IndexError):
        return None
