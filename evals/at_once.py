"""Judge several trials at the same time, each in a process of its own."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from evals.drive import Trial
from evals.score import Score, not_played

JOIN_SECONDS = 60.0
Judge = Callable[[Trial], Score]


@dataclass
class Playing:
    """The trials that play now, by the end of the pipe that their score comes through."""

    running: dict[Connection, tuple[int, Trial, BaseProcess]] = field(default_factory=dict)

    def begin(self, context: Any, number: int, trial: Trial, judge: Judge) -> None:
        """Start one trial."""
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_judge_there, args=(there, trial, judge))
        process.start()
        there.close()
        self.running[here] = (number, trial, process)

    def ended(self) -> Iterator[tuple[int, Score]]:
        """Wait until at least one trial has ended, and return those that have."""
        for here in wait(list(self.running)):
            assert isinstance(here, Connection)
            number, trial, process = self.running.pop(here)
            try:
                score: Score = here.recv()
            except EOFError:
                score = not_played(trial, "its process ended without a score", 0.0)
            here.close()
            process.join(JOIN_SECONDS)
            yield number, score

    def interrupt(self) -> None:
        """End what plays as Ctrl-C does, so that each trial ends its account."""
        for _, _, process in self.running.values():
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGINT)
        for _, _, process in self.running.values():
            process.join(JOIN_SECONDS)


def judged_at_once(
    trials: Iterable[Trial], judge: Judge, jobs: int, begins: Callable[[int, Trial], bool]
) -> Iterator[tuple[int, Score]]:
    """Yield the number and score of each trial as it ends; `begins` is told of each, and may say that none begins."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["evals.drive"])
    waiting = iter(enumerate(trials))
    with _ended(Playing()) as playing:
        more = True
        while more or playing.running:
            while more and len(playing.running) < jobs:
                following = next(waiting, None)
                more = following is not None and begins(*following)
                if following is not None and more:
                    playing.begin(context, *following, judge)
            if playing.running:
                yield from playing.ended()


@contextmanager
def _ended(playing: Playing) -> Iterator[Playing]:
    try:
        yield playing
    finally:
        playing.interrupt()


def _judge_there(there: Connection, trial: Trial, judge: Judge) -> None:
    try:
        there.send(judge(trial))
    except KeyboardInterrupt:
        pass
    finally:
        there.close()
