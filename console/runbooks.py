"""List the runbooks, what each is for, and what of it no longer fits the account."""

import json
from typing import Any

from rich.table import Table

from console.text import plain, screen, styled
from graphs.connecting import open_access
from graphs.settings import Settings
from memory.retrieval import Runbook, RunbookIndex
from tools.aws.access import AwsAccess
from tools.runbook_drift import drift_of


def show_runbooks(settings: Settings, *, as_json: bool) -> int:
    """Print every runbook with its drift; end with 1 when one has drifted."""
    access = open_access(settings)
    told = [_told(access, book) for book in RunbookIndex.open().runbooks]
    out = screen()
    if as_json:
        out.file.write(json.dumps(told, indent=2) + "\n")
    else:
        out.print(_table(told))
    return 1 if any(one["drift"] for one in told) else 0


def _told(access: AwsAccess, book: Runbook) -> dict[str, Any]:
    drift = drift_of(access, book.name, book.names)
    return {
        "runbook": book.name,
        "title": book.title,
        "actions": list(book.actions),
        "names": {label: list(names) for label, names in book.names.items()},
        "drift": [one.model_dump(mode="json", exclude={"runbook"}) for one in drift],
    }


def _table(told: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("runbook", "actions", "as the account is"):
        table.add_column(title, overflow="fold")
    for one in told:
        gone = "; ".join(f"{each['subject']}: {each['problem']}" for each in one["drift"])
        named = sum(len(names) for names in one["names"].values())
        state = (
            styled(gone, "yellow")
            if gone
            else styled(f"{named} names, all there" if named else "names nothing", "dim")
        )
        table.add_row(one["runbook"], plain(", ".join(one["actions"]) or "-"), state)
    return table
