"""Read which values a parameter of Systems Manager has had, and who set them."""

from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources
from tools.secret_names import parameter_holds_secret

NAME = "parameter_history"
# GetParameterHistory gives 50 values a page, the oldest first; Systems Manager keeps 100.
PAGES = 2
TAKEN_OUT = "[secret]"


class ParameterHistory(Question):
    """Which parameter."""

    name: str = Field(
        description="The parameter's name, with its path.",
        min_length=1,
        max_length=1011,
        pattern=r"^[A-Za-z0-9_./-]+$",
    )


def parameter_history(sources: Sources, question: ParameterHistory) -> Evidence:
    """Return a parameter's versions, the newest last, each with its value, when it was set and by whom.

    A secret's value is taken out here: one that is stored as such, or that the parameter's name says is one.
    """
    now = sources.clock.now()
    return sources.recorder.observe(
        f"parameter {question.name}",
        "ssm",
        "GetParameterHistory",
        {**question.model_dump(), "at": now.isoformat()},
        lambda: _read(sources, question),
        untrusted=True,
        tool=NAME,
    )


def _read(sources: Sources, question: ParameterHistory) -> Answer:
    client = sources.access.client("ssm")
    request: dict[str, Any] = {"Name": question.name, "WithDecryption": False, "MaxResults": 50}
    versions: list[dict[str, Any]] = []
    for pages in range(1, PAGES + 1):
        page = client.get_parameter_history(**request)
        versions += [_version(told, question.name) for told in page["Parameters"]]
        if not page.get("NextToken"):
            return Answer({"versions": versions}, pages, newest_last=True)
        request["NextToken"] = page["NextToken"]
        sources.recorder.so_far(_in_part(versions, pages))
    return _in_part(versions, PAGES)


def _in_part(versions: list[dict[str, Any]], pages: int) -> Answer:
    told, why = {"versions": list(versions)}, "newer versions were not read"
    return Answer(told, pages, gaps=(Gap.TRUNCATED,), gap_detail=why, newest_last=True)


def _version(told: dict[str, Any], name: str) -> dict[str, Any]:
    hidden = told["Type"] == "SecureString" or parameter_holds_secret(name)
    return {
        "version": told["Version"],
        "at": utc_text(told["LastModifiedDate"]),
        "by": told.get("LastModifiedUser"),
        "value": TAKEN_OUT if hidden else told["Value"],
        "labels": told.get("Labels", []),
    }


TOOL = ReadTool(
    NAME,
    "Read every value that a Systems Manager parameter has had, with when it was set and by whom. Use it when a "
    "setting may have changed. A single version means that it never changed. Values of secrets are never read.",
    ParameterHistory,
    parameter_history,
    lambda sources, question, window: _read(sources, question),
)
