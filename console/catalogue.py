"""Print the catalogue of actions, and write the page that lists them."""

import json
import sys
from pathlib import Path
from typing import Any

from rich.table import Table

from console.permitted import declared_calls
from console.text import plain, screen
from memory.records.plan import Direction, ExpectedSignal
from memory.records.scope import Scope
from tools.actions.base import Action
from tools.actions.registry import ACTIONS, Catalogue
from tools.remedies.finders import OFFERED

PAGE = Path(__file__).parents[1] / "docs" / "actions.md"
# The account of AWS's own examples, so that ARNs on the page are nobody's.
EXAMPLE = Scope(account="111122223333", region="eu-west-1")
_HEAD = """# Actions

What the copilot may do, and nothing beside it. Made by `make actions` from the catalogue in `tools/actions/`; a test
fails when it is not up to date. Everything but the one write of an action only reads. A plan chooses among options that
code found in the account, policy rules on each, and [an approval is bound](policies.md) to what the action reads first.

Auto Scaling groups, RDS and target groups have no actions yet: the simulated account has none of those services, and
what cannot be tried is not offered.
"""
_DECIDED = """
## Decided where it could be otherwise

**One poison message is not moved by itself.** `sqs_quarantine_poison` lets SQS put aside what was received too often,
and with it good messages of the same batch, whose number the approval names. To take out the one message alone would
want a receive, a send to the dead-letter queue and a delete, and SQS gives none of what these would have to rest on:

- ReceiveMessage cannot ask for a message. While a function polls, the one that is meant is hidden most of the time;
  what is received instead is hidden too, its receive count grows, and in a FIFO queue its whole group waits meanwhile
  (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html).
- Nobody can ask SQS whether a message was sent. A deduplication id holds for five minutes, and in FIFO queues only;
  after a lost answer the executor could neither send again nor leave it, and what cannot be settled is no action here.
- A receipt handle that has expired deletes nothing in a FIFO queue, so that the message could stand in both queues;
  and what was sent to a dead-letter queue by hand has no source that StartMessageMoveTask could give it back to
  (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html).
- The role would need ReceiveMessage and DeleteMessage on the live queue, which can lose any message of it. Setting the
  receive limit can lose none.

So the good messages wait in the dead-letter queue, the closing message counts them and names the redrive. A team whose
function reports single failures (`ReportBatchItemFailures`) has none that go along: the action reads that and says so.
"""
_SHOWN = 16
_NOT_OFFERED = (
    "no cause: nothing that is recorded of an incident points to it. Its runbook tells people when they may do the "
    "same; a plan that names it goes through the same review, approval and executor"
)


def show_catalogue(catalogue: Catalogue = ACTIONS, *, as_json: bool) -> int:
    """Print every action, as a table or as JSON."""
    out = screen()
    if as_json:
        out.file.write(json.dumps([described(action) for action in catalogue], indent=2) + "\n")
        return 0
    table = Table(box=None, pad_edge=False)
    for title in ("action, its risk and way back", "when to use it, and what is seen by when"):
        table.add_column(title, overflow="fold")
    for action in catalogue:
        words = "\n".join((plain(action.description), *(f"- {one}" for one in promised(action))))
        back = action.reversibility.value
        table.add_row(f"{action.name}\n{action.risk.value} risk, {back}", words)
    out.print(table)
    return 0


def promised(action: Action[Any]) -> tuple[str, ...]:
    """Say which signals an action is held to, and by when: computed on its own example, as verification does."""
    params = action.parameters.model_validate(action.example)
    return tuple(_told(one) for one in action.expected(params, action.example_state))


def _told(signal: ExpectedSignal) -> str:
    seconds = signal.within_seconds
    by = f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
    where = f"{signal.metric.namespace} {signal.metric.name}" if signal.metric else f"its {signal.state_key}"
    return f"within {by}: {signal.text} ({where} {signal.direction}{_level(signal)})"


def _level(signal: ExpectedSignal) -> str:
    if signal.level is None:
        return ""
    text = f"{signal.level:g}" if isinstance(signal.level, float) else str(signal.level)
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f" {short}" if signal.direction is Direction.BECOMES else f" to {short}"


def described(action: Action[Any]) -> dict[str, Any]:
    """Return everything that an action says of itself, as JSON."""
    schema = action.parameters.model_json_schema()
    params = action.parameters.model_validate(action.example)
    expected = action.expected(params, action.example_state)
    return {
        "name": action.name,
        "when": action.description,
        "effect": action.effect,
        "risk": action.risk.value,
        "parameters": {name: one["description"] for name, one in schema["properties"].items()},
        "reads_first": list(action.reads),
        "preconditions": list(action.preconditions),
        "expected": [one.model_dump(mode="json", exclude_defaults=True) for one in expected],
        "permissions": [one.model_dump(mode="json") for one in action.permissions(params, EXAMPLE)],
        "blast_radius": action.blast,
        "reversibility": action.reversibility.value,
        "way_back": action.way_back,
        "inverse": action.inverse(params, action.example_state),
        "repeatable": action.repeatable,
        "offered_for": OFFERED.get(action.name),
        "example": action.example,
        "calls": list(declared_calls(action, EXAMPLE)),
    }


def page(catalogue: Catalogue = ACTIONS) -> str:
    """Return the page that lists the catalogue."""
    index = [
        "| action | risk | way back | IAM actions |",
        "|---|---|---|---|",
        *(
            f"| [`{one.name}`](#{one.name}) | {one.risk.value} | {one.reversibility.value} | "
            f"{', '.join(f'`{call}`' for call in declared_calls(one, EXAMPLE))} |"
            for one in catalogue
        ),
    ]
    sections = (_section(described(one), promised(one)) for one in catalogue)
    return "\n".join([_HEAD, *index, *sections, _DECIDED])


def _section(told: dict[str, Any], signals: tuple[str, ...]) -> str:
    permissions = [
        f"`{', '.join(one['actions'])}` on `{', '.join(one['resources'])}`" for one in told["permissions"]
    ]
    again = (
        "changes nothing more" if told["repeatable"] else "would change something again, and is never sent"
    )
    back = f"; in the example `{json.dumps(told['inverse'])}`" if told["inverse"] is not None else ""
    lines = [
        f"\n## {told['name']}\n",
        f"{told['when']} {told['effect']}\n",
        "- **Parameters:** " + "; ".join(f"`{name}`: {text}" for name, text in told["parameters"].items()),
        "- **Reads first:** " + ", ".join(f"`{call}`" for call in told["reads_first"]),
        "- **Has to hold:** " + "; ".join(told["preconditions"]),
        "- **Expected (in the example):** " + "; ".join(signals),
        f"- **Blast radius:** {told['blast_radius']}",
        f"- **Way back ({told['reversibility']}):** {told['way_back']}{back}",
        f"- **Offered for:** {told['offered_for'] or _NOT_OFFERED}",
        f"- **Risk:** {told['risk']}; the same call sent twice {again}",
        "- **Permissions, for example:**",
        *(f"  - {one}" for one in permissions),
        f"- **Example:** `{json.dumps(told['example'])}`",
    ]
    return "\n".join(lines)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}: {len(ACTIONS)} actions\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
