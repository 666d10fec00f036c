"""Search the runbooks."""

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer
from tools.observe.sources import Question, ReadTool, Sources

NAME = "search_runbooks"


class SearchRunbooks(Question):
    """What to look for."""

    text: str = Field(description="Symptoms, errors or names, in plain words.", min_length=3, max_length=500)


def search_runbooks(sources: Sources, question: SearchRunbooks) -> Evidence:
    """Return the best matching runbooks with their text."""
    return sources.recorder.observe(
        "runbooks",
        "runbooks",
        "Search",
        question.model_dump(),
        lambda: _read(sources, question.text),
        untrusted=True,
        tool=NAME,
    )


def _read(sources: Sources, text: str) -> Answer:
    found = sources.runbooks.search(text)
    return Answer({"runbooks": found}, calls=0, gaps=() if found else (Gap.NO_DATA,))


TOOL = ReadTool(
    NAME,
    "Search the team's runbooks by symptom. An empty list means that no runbook fits.",
    SearchRunbooks,
    search_runbooks,
    lambda sources, question, window: _read(sources, question.text),
)
