"""How the containers of a task end by themselves, from what its task definition says.

Nothing is run. An image's own program goes on for ever; a task definition that gives another command is read as a
shell reads it, as far as `exit`, `true`, `false`, `sleep` and `echo` go, and any other word is the image's program.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulator.ecs.records import Ending, TaskDefinition

STARTUP = timedelta(seconds=25)
PULL_FAILURE = timedelta(seconds=20)
OUT_OF_MEMORY = 137
EXITED = "Essential container in task exited"
_SHELLS = frozenset({"sh", "bash", "ash", "dash"})
_SAYING = frozenset({"echo", "printf", ":", "true", "set"})
_STATEMENTS = re.compile(r"(;|&&|\|\||\n|^)((?:'[^']*'|\"[^\"]*\"|[^;&|\n'\"])*)")
# Pipes, jobs, substitutions and the like: such a script is not read, and runs the image's program.
_BEYOND = re.compile(r"(?<!\|)\|(?!\|)|(?<!&)&(?!&)|[`$()<>{}]")


@dataclass(frozen=True)
class Machines:
    """What tasks run on: `can_pull` knows the registry's images, `needs_mb` the memory that an image takes."""

    can_pull: Callable[[str], bool]
    needs_mb: Callable[[str], float]

    def ending(self, definition: TaskDefinition) -> Ending | None:
        """How a task of this definition ends, or None where it runs until somebody stops it."""
        containers = definition.parameters["containerDefinitions"]
        missing = [one for one in containers if not self.can_pull(one["image"])]
        if missing:
            return _not_pulled(missing[0])
        ends = [self._container(one, definition) for one in containers if one.get("essential", True)]
        return min((one for one in ends if one is not None), key=lambda one: one.after, default=None)

    def _container(self, container: Mapping[str, Any], definition: TaskDefinition) -> Ending | None:
        name = container["name"]
        if self.needs_mb(container["image"]) > memory_limit(container, definition):
            reason = "OutOfMemoryError: Container killed due to memory usage"
            return Ending(STARTUP, "EssentialContainerExited", EXITED, name, OUT_OF_MEMORY, reason)
        ended = command_end([*container.get("entryPoint", []), *container.get("command", [])])
        if ended is None:
            return None
        return Ending(STARTUP + ended[0], "EssentialContainerExited", EXITED, name, ended[1])


def memory_limit(container: Mapping[str, Any], definition: TaskDefinition) -> float:
    """The memory in MiB at which a container is killed: its own hard limit, or the task's."""
    limits = [float(one) for one in (container.get("memory"), definition.parameters.get("memory")) if one]
    return min(limits, default=float("inf"))


def command_end(words: list[str]) -> tuple[timedelta, int] | None:
    """How long a command runs and its exit code; None where it runs the image's program."""
    if not words:
        return None
    if len(words) > 2 and words[0].rpartition("/")[2] in _SHELLS and words[1].startswith("-"):
        return _script_end(words[2])
    return _script_end(" ".join(shlex.quote(one) for one in words))


def _script_end(script: str) -> tuple[timedelta, int] | None:
    """A script's statements one after the other, as far as they are understood."""
    if _BEYOND.search(script):
        return None
    if not _is_closed(script):
        return timedelta(), 2
    passed, code = timedelta(), 0
    for operator, text in _STATEMENTS.findall(script):
        if not text.strip() or (operator == "&&" and code) or (operator == "||" and not code):
            continue
        done = _statement(text, code)
        if done is None:
            return None
        passed, code = passed + done.lasts, done.code
        if done.is_exit:
            break
    return passed, code


def _is_closed(script: str) -> bool:
    """Whether every quote of a script ends, without which a shell runs nothing of it."""
    try:
        shlex.split(script)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class _Statement:
    """What one statement comes to."""

    code: int
    lasts: timedelta = timedelta()
    is_exit: bool = False


def _statement(text: str, code: int) -> _Statement | None:
    """One statement after another ended with `code`; None where it runs the image's program."""
    words = shlex.split(text, comments=True)
    name = words[0].rpartition("/")[2] if words else ":"
    if name in _SAYING:
        return _Statement(0)
    if name == "exit":
        return _Statement(_exit_code(words[1:], code), is_exit=True)
    if name == "sleep":
        lasts = _seconds(words[1:])
        return _Statement(1) if lasts is None else _Statement(0, lasts)
    return _Statement(1) if name == "false" else None


def _exit_code(words: list[str], code: int) -> int:
    return int(words[0]) % 256 if words and words[0].isdigit() else (2 if words else code)


def _seconds(words: list[str]) -> timedelta | None:
    """The length of a sleep, or None where sleep would refuse it."""
    total = 0.0
    for word in words:
        found = re.fullmatch(r"(\d{1,8}(?:\.\d+)?)([smhd]?)", word)
        if found is None:
            return None
        total += float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
    return timedelta(seconds=total) if words else None


def _not_pulled(container: Mapping[str, Any]) -> Ending:
    image = container["image"]
    reason = f"CannotPullContainerError: failed to resolve ref {image}: {image}: not found"
    return Ending(PULL_FAILURE, "TaskFailedToStart", reason, container["name"], container_reason=reason)
