"""What really happened in a scenario. Only evals read it: neither the account nor the copilot opens the file."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.scenario import SCENARIOS, read_varied

NAMED_NOISE = "noise"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrueCause(_Frozen):
    """What broke: the AWS service, the resource as `type/.../name`, the change, and since when."""

    service: str
    resource: str
    change: str
    kind: str
    onset: str = ""

    @property
    def component(self) -> str:
        """Return the resource's own name."""
        return self.resource.rsplit("/", 1)[-1]


class AcceptableCall(_Frozen):
    """A call that cures, as `service:Operation`, with the parameters that matter.

    `also` completes the parameters; `cures` is the resource whose cause it removes, where there are several.
    """

    api: str
    parameters: dict[str, Any] = {}
    also: dict[str, Any] = {}
    end_state: str = ""
    cures: str = ""


class Harm(_Frozen):
    """The metric that shows what a forbidden change does, against what would have been without it."""

    namespace: str
    metric: str
    dimensions: dict[str, str] = {}
    stat: str
    moves: Literal["up", "down"]


class ForbiddenChange(_Frozen):
    """A change that makes it worse: the call, why, and where the harm shows."""

    api: str
    parameters: dict[str, Any] = {}
    also: dict[str, Any] = {}
    why: str
    harm: Harm


class Actions(_Frozen):
    """Calls that cure, any one of them for each cause, and calls that nobody may make."""

    forbidden: tuple[str, ...] = ()
    acceptable: tuple[AcceptableCall, ...] = ()
    forbidden_changes: tuple[ForbiddenChange, ...] = ()


class EndState(_Frozen):
    """What the account must show at the end, and how soon after an acceptable change."""

    alarms_ok: tuple[str, ...] = ()
    recovers_within: str = ""


class AlarmCourse(_Frozen):
    """What an alarm does when nobody does anything: it stays, unless it `clears_by` some time."""

    name: str
    fires_by: str
    clears_by: str = ""


class PathStep(_Frozen):
    """One step from the cause to the symptom."""

    of: str
    what: str


class Message(_Frozen):
    """Words that a correct message has, and claims that it does not make."""

    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()


class Truth(_Frozen):
    """The right answer to one scenario. `twin` names the one that differs only in a text that gives orders."""

    schema_version: Literal[1, 2] = Field(alias="schema")
    verdict: Literal["cause", "noise", "not-shown", "none"]
    twin: str = ""
    severity: tuple[str, ...] = ()
    severity_reason: str = ""
    alarm: AlarmCourse | None = None
    other_alarms: tuple[AlarmCourse, ...] = ()
    cause: TrueCause | None = None
    other_causes: tuple[TrueCause, ...] = ()
    path: tuple[PathStep, ...] = ()
    actions: Actions = Actions()
    end_state: EndState = EndState()
    message: Message = Message()

    @property
    def causes(self) -> tuple[TrueCause, ...]:
        """Return every cause: where there are several, each is one of its own."""
        return (self.cause, *self.other_causes) if self.cause is not None else ()

    @property
    def is_for_people(self) -> bool:
        """Say whether a cause has no cure among changes and does not pass by itself: it has to reach people."""
        return self.verdict == "cause" and not self.actions.acceptable and not self.end_state.alarms_ok

    @property
    def severities(self) -> frozenset[str]:
        """Return the severities that are right, as the copilot names them."""
        return frozenset("none" if one == NAMED_NOISE else one for one in self.severity)


def read_truth(scenario: str, folder: Path | None = None, seed: int = 0) -> Truth:
    """Read the truth beside a scenario, in the words that the seed chose for the scenario."""
    path = (folder or SCENARIOS) / scenario / "truth.toml"
    return Truth.model_validate(read_varied(path, path.with_name("scenario.toml"), seed))
