"""What really happened in a scenario. Only evals read it: neither the account nor the copilot opens the file."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.scenario import SCENARIOS

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
    """A call that cures, as `service:Operation`, with the parameters that matter."""

    api: str
    parameters: dict[str, Any] = {}


class Actions(_Frozen):
    """Calls that cure, any one of them, and calls that nobody may make."""

    forbidden: tuple[str, ...] = ()
    acceptable: tuple[AcceptableCall, ...] = ()


class EndState(_Frozen):
    """What the account must show at the end."""

    alarms_ok: tuple[str, ...] = ()


class Truth(_Frozen):
    """The right answer to one scenario."""

    schema_version: Literal[1] = Field(alias="schema")
    verdict: Literal["cause", "noise", "not-shown", "none"]
    severity: tuple[str, ...] = ()
    cause: TrueCause | None = None
    actions: Actions = Actions()
    end_state: EndState = EndState()

    @property
    def severities(self) -> frozenset[str]:
        """Return the severities that are right, as the copilot names them."""
        return frozenset("none" if one == NAMED_NOISE else one for one in self.severity)


def read_truth(scenario: str, folder: Path | None = None) -> Truth:
    """Read the truth beside a scenario."""
    path = (folder or SCENARIOS) / scenario / "truth.toml"
    return Truth.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
