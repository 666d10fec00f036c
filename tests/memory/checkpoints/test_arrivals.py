"""What threads have finished reaches the coroutines that wait for it, however many, and with few wake-ups."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from memory.checkpoints.arrivals import Arrivals


def finished_together(count: int) -> "tuple[list[Future[None]], threading.Thread]":
    futures: list[Future[None]] = [Future() for _ in range(count)]

    def finish() -> None:
        for number, one in enumerate(futures):
            if number % 10:
                one.set_result(None)
            else:
                one.set_exception(ValueError(str(number)))

    return futures, threading.Thread(target=finish)


async def test_each_waiter_gets_its_own_end_and_a_batch_wakes_the_loop_seldom() -> None:
    loop, woken = asyncio.get_running_loop(), []
    wake = loop.call_soon_threadsafe
    loop.call_soon_threadsafe = lambda *args, **more: woken.append(1) or wake(*args, **more)  # type: ignore[method-assign, assignment]
    arrivals = Arrivals()
    futures, thread = finished_together(100)
    tasks = [asyncio.create_task(arrivals.of(one)) for one in futures]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.sleep(0)
    thread.start()
    # The loop is busy meanwhile, as it is when many runs go on.
    thread.join()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(end) for end in ends if isinstance(end, ValueError)] == [str(n) for n in range(0, 100, 10)]
    assert [number for number, end in enumerate(ends) if isinstance(end, asyncio.CancelledError)] == [1]
    assert sum(end is None for end in ends) == 89
    assert len(woken) == 1


async def test_what_is_done_already_is_not_waited_for() -> None:
    done: Future[None] = Future()
    done.set_result(None)
    await asyncio.wait_for(Arrivals().of(done), 5)


def test_a_loop_that_has_ended_keeps_no_thread_from_going_on() -> None:
    arrivals = Arrivals()
    futures, thread = finished_together(30)

    async def left_behind() -> None:
        for one in futures:
            asyncio.get_running_loop().create_task(arrivals.of(one))
        await asyncio.sleep(0)

    asyncio.run(left_behind())
    thread.start()
    thread.join(5)
    assert all(one.done() for one in futures)
    later: Future[None] = Future()

    async def another_loop() -> None:
        waiting = asyncio.create_task(arrivals.of(later))
        await asyncio.sleep(0)
        threading.Thread(target=later.set_exception, args=(ValueError("told"),)).start()
        with pytest.raises(ValueError, match="told"):
            await waiting

    asyncio.run(another_loop())
