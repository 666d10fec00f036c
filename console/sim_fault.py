"""`cloudops sim fault`: its commands and their options."""

from enum import StrEnum
from typing import Annotated

import typer

from console.command import Json, door

fault = typer.Typer(
    help="Let calls to the account throttle, fail, hang or lose their answer.", no_args_is_help=True
)

Call = Annotated[str, typer.Argument(help="SERVICE:OPERATION in botocore's names; * for anything.")]
Code = Annotated[str | None, typer.Option(help="The error's code, such as AccessDeniedException.")]
Status = Annotated[int | None, typer.Option(help="The error's HTTP status, instead of its model's.")]
Message = Annotated[str | None, typer.Option(help="What the error says.")]
Seconds = Annotated[float | None, typer.Option(help="How long it is slow, or hangs if not until cleared.")]
Breaks = Annotated[str | None, typer.Option(help="What breaks a stream: throttlingException, cut.")]
Frames = Annotated[int | None, typer.Option(help="How much of the stream comes first.")]
Caller = Annotated[str | None, typer.Option(help="Only callers of this ARN; * for anything.")]
Times = Annotated[int | None, typer.Option(help="How many calls meet it; -1 for every one.")]
Share = Annotated[float | None, typer.Option(help="Which share of the calls meets it, by chance.")]
Chance = Annotated[int | None, typer.Option(help="The seed of that chance.")]
Passing = Annotated[int | None, typer.Option(help="How many matching calls pass first.")]
Begins = Annotated[str | None, typer.Option("--from", help="In how much account time it begins: +5m.")]
Ends = Annotated[str | None, typer.Option(help="In how much account time it ends: +10m.")]


class Kind(StrEnum):
    """What can happen to a call."""

    THROTTLE = "throttle"
    ERROR = "error"
    HANG = "hang"
    SLOW = "slow"
    LOSE_ANSWER = "lose_answer"
    STREAM_ERROR = "stream_error"
    GUARDRAIL = "guardrail"


@fault.command("add")
@door
def fault_add(
    call: Call,
    kind: Annotated[Kind, typer.Argument(help="What happens to the call.")],
    code: Code = None,
    status: Status = None,
    message: Message = None,
    seconds: Seconds = None,
    exception: Breaks = None,
    after_frames: Frames = None,
    caller: Caller = None,
    times: Times = None,
    share: Share = None,
    seed: Chance = None,
    after: Passing = None,
    begins: Begins = None,
    until: Ends = None,
    as_json: Json = False,
) -> int:
    """Order a fault. Without --times, --share and --until it is met once.

    throttle: refused as the service refuses too many calls.
    error: refused with --code.
    hang: neither performed nor answered.
    slow: performed and answered late.
    lose_answer: performed, never answered.
    stream_error: a Bedrock stream breaks in its middle.
    guardrail: the request's guardrail intervenes.
    """
    from console.faulting import add_fault
    from graphs.settings import state_dir_here

    refusal = {"code": code, "status": status, "message": message}
    breaking = {"seconds": seconds, "exception": exception, "after_frames": after_frames}
    often = {"caller": caller, "times": times, "share": share, "seed": seed, "after": after}
    terms = {**refusal, **breaking, **often}
    return add_fault(state_dir_here(), call, kind.value, terms, (begins, until), as_json=as_json)


@fault.command("list")
@door
def fault_list(as_json: Json = False) -> int:
    """List the faults in force, and how many calls each has met."""
    from console.faulting import list_faults
    from graphs.settings import state_dir_here

    return list_faults(state_dir_here(), as_json=as_json)


@fault.command("clear")
@door
def fault_clear(
    id_: Annotated[str | None, typer.Argument(metavar="[ID]", help="Which one; all without it.")] = None,
) -> int:
    """Lift a fault, or all; calls that hang are let go."""
    from console.faulting import clear_faults
    from graphs.settings import state_dir_here

    return clear_faults(state_dir_here(), id_)
