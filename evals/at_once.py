"""Play several tasks at the same time, each in a process of its own."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from evals.drive import Trial
from evals.score import Score, not_played

JOIN_SECONDS = 60.0
LOST = "its process ended without a result"
Judge = Callable[[Trial], Score]
T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Playing(Generic[T, R]):
    """The tasks that play now, by the end of the pipe that their result comes through.

    `lost` is the result of one whose process ended without any.
    """

    lost: Callable[[T], R]
    running: dict[Connection, tuple[int, T, BaseProcess]] = field(default_factory=dict)

    def begin(self, context: Any, number: int, task: T, work: Callable[[T], R]) -> None:
        """Start one task."""
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_work_there, args=(there, task, work))
        process.start()
        there.close()
        self.running[here] = (number, task, process)

    def ended(self) -> Iterator[tuple[int, R]]:
        """Wait until at least one task has ended, and return those that have."""
        for here in wait(list(self.running)):
            assert isinstance(here, Connection)
            number, task, process = self.running.pop(here)
            try:
                result: R = here.recv()
            except EOFError:
                result = self.lost(task)
            here.close()
            process.join(JOIN_SECONDS)
            yield number, result

    def interrupt(self) -> None:
        """End what plays as Ctrl-C does, so that each task ends its account."""
        for _, _, process in self.running.values():
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGINT)
        for _, _, process in self.running.values():
            process.join(JOIN_SECONDS)


def judged_at_once(
    trials: Iterable[Trial], judge: Judge, jobs: int, begins: Callable[[int, Trial], bool]
) -> Iterator[tuple[int, Score]]:
    """Yield the number and score of each trial as it ends; `begins` is told of each, and may say that none begins."""
    return at_once(trials, judge, _without_score, jobs, begins)


def _without_score(trial: Trial) -> Score:
    return not_played(trial, LOST, 0.0)


def at_once(
    tasks: Iterable[T],
    work: Callable[[T], R],
    lost: Callable[[T], R],
    jobs: int,
    begins: Callable[[int, T], bool],
) -> Iterator[tuple[int, R]]:
    """Yield the number and result of each task as it ends; `begins` is told of each, and may say that none begins."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["evals.drive"])
    waiting = iter(enumerate(tasks))
    with _ended(Playing(lost)) as playing:
        more = True
        while more or playing.running:
            while more and len(playing.running) < jobs:
                following = next(waiting, None)
                more = following is not None and begins(*following)
                if following is not None and more:
                    playing.begin(context, *following, work)
            if playing.running:
                yield from playing.ended()


@contextmanager
def _ended(playing: Playing[T, R]) -> Iterator[Playing[T, R]]:
    try:
        yield playing
    finally:
        playing.interrupt()


def _work_there(there: Connection, task: T, work: Callable[[T], R]) -> None:
    try:
        there.send(work(task))
    except KeyboardInterrupt:
        pass
    finally:
        there.close()
