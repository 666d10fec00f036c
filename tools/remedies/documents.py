"""What can be done by an Automation document that the team has put on the list for a cause."""

from collections.abc import Iterator

from memory.records.assessment import Hypothesis
from memory.records.plan import Considered, PlannedAction
from tools.actions.ssm_document import AllowedDocument, SsmDocument, SsmRunDocument
from tools.remedies.place import Place

Found = Iterator[PlannedAction | Considered]


def listed_documents(
    place: Place, cause: Hypothesis, why: str, action: SsmRunDocument | None = None
) -> Found:
    """Offer each document on the list that answers a cause, with the parameters that the cause gives.

    `why` says why nothing narrower will do. One that wants a parameter which the cause does not give is left.
    """
    running = action or SsmRunDocument()
    for one in running.allowed:
        if f"{cause.kind.value}:{cause.change}" not in one.answers:
            continue
        values = _values(one, cause)
        lacking = sorted(one.parameters.keys() - values.keys())
        if lacking:
            told = f"{one.name}: nothing that was seen says what {', '.join(lacking)} should be"
            yield Considered(action=SsmRunDocument.name, why_not=told)
            continue
        asked = SsmDocument(document=one.name, values=values, after="")
        newest = str(running.read_state(place.access, asked).get("newest", ""))
        yield PlannedAction(
            action=SsmRunDocument.name,
            parameters=asked.model_copy(update={"after": newest}).model_dump(),
            why=f"{why}; {one.name}, which the team lists for that, {one.purpose}",
        )


def _values(document: AllowedDocument, cause: Hypothesis) -> dict[str, str]:
    given = {"component": cause.component, "change": cause.change}
    values = {name: given[part] for name, part in document.from_cause.items()}
    return {name: value for name, value in values.items() if value is not None}
