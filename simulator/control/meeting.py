"""A call meets faults: it waits, is refused, or will be performed and never answered."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from simulator.bedrock.faults import StreamException, StreamFault
from simulator.control.fault_rules import FaultKind
from simulator.control.faults import Fault
from simulator.wire.protocol import AwsError
from simulator.wire.refusals import modelled_error, throttled

# Set when the call that runs in this context must not be answered, whether it is performed or not.
unanswered: ContextVar[bool] = ContextVar("unanswered", default=False)
FRAMES_FIRST = 2


@dataclass(frozen=True)
class Suffered:
    """What became of a call before anything answered it. `hung` calls are never performed."""

    refusal: AwsError | None = None
    hung: bool = False
    stream: StreamFault | None = None
    guarded: bool = False


async def suffer(faults: Sequence[Fault], service: str, operation: str) -> Suffered:
    """Meet the faults one after the other, until one of them ends the call."""
    stream: StreamFault | None = None
    guarded = False
    for fault in faults:
        match fault.rule.kind:
            case FaultKind.SLOW:
                await asyncio.sleep(fault.rule.seconds or 0)
            case FaultKind.LOSE_ANSWER:
                unanswered.set(True)
            case FaultKind.HANG:
                await _until_lifted(fault)
                unanswered.set(True)
                return Suffered(hung=True)
            case FaultKind.THROTTLE:
                return Suffered(throttled(service, operation))
            case FaultKind.ERROR:
                return Suffered(_error(fault, service))
            case FaultKind.STREAM_ERROR:
                stream = _stream_fault(fault)
            case FaultKind.GUARDRAIL:
                guarded = True
    return Suffered(stream=stream, guarded=guarded)


async def _until_lifted(fault: Fault) -> None:
    try:
        await asyncio.wait_for(fault.lifted.wait(), fault.rule.seconds)
    except TimeoutError:
        return


def _error(fault: Fault, service: str) -> AwsError:
    rule = fault.rule
    return modelled_error(service, str(rule.code), rule.message or "Ordered by a fault.", rule.status)


def _stream_fault(fault: Fault) -> StreamFault:
    rule = fault.rule
    frames = FRAMES_FIRST if rule.after_frames is None else rule.after_frames
    exception = rule.exception or StreamException.MODEL_STREAM_ERROR
    if rule.message is None:
        return StreamFault(exception, frames)
    return StreamFault(exception, frames, rule.message)
