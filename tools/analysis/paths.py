"""How an incident spreads: from each cause over the parts that suffer from it to where people feel it."""

from collections.abc import Sequence
from datetime import timedelta

from memory.records.assessment import Hypothesis
from tools.analysis.causes.candidate import BUSIER, Candidate
from tools.analysis.findings import Findings, Rollout
from tools.analysis.symptoms import sick_parts, suffers_from

LOOK_BACK = timedelta(hours=3)
# By how much requests may move without anybody asking why.
ASKED_MORE = 1.2


def nearest_first(causes: Sequence[Candidate], findings: Findings) -> list[Candidate]:
    """Order causes by how sure they are, and among those as sure, by how few steps lead to what the alarm watches."""
    return sorted(causes, key=lambda one: (-one.hypothesis.confidence, _steps(one.part, findings), one.part))


def _steps(part: str, findings: Findings) -> int:
    for number, reached in enumerate(_levels(part, findings)):
        if set(reached) & set(findings.own):
            return number
    return len(findings.services) + 1


def causal_path(causes: Sequence[Candidate], findings: Findings) -> tuple[str, ...]:
    """Return the parts from the causes to where they are felt: each once, and after all parts that it suffers from."""
    reached = list(
        dict.fromkeys(name for one in causes for level in _levels(one.part, findings) for name in level)
    )
    path: list[str] = []
    while reached:
        free = [name for name in reached if not set(suffers_from(name, findings)) & (set(reached) - {name})]
        name = (free or reached)[0]
        reached.remove(name)
        path += [one.hypothesis.component for one in causes if one.part == name]
        path.append(name)
        path += [more for one in causes if one.part == name for more in _asked_more(one, findings)]
    return tuple(dict.fromkeys(path))


def _levels(part: str, findings: Findings) -> list[list[str]]:
    """Return the parts that suffer from a part, by how many steps lie between."""
    sick = sick_parts(findings)
    levels, seen = [[part]], {part}
    while levels[-1]:
        suffering = [
            name for name in sick if name not in seen and set(suffers_from(name, findings)) & set(levels[-1])
        ]
        seen |= set(suffering)
        levels.append(suffering)
    return levels[:-1]


def _asked_more(cause: Candidate, findings: Findings) -> list[str]:
    """Return the healthy services that a sick one asks more than before though nobody asks it more.

    That is how attempts that are made again spread to a part that is well.
    """
    caller = findings.service(cause.part)
    if caller is None or (caller.more_requests or 1.0) >= BUSIER:
        return []
    below = [findings.service(one.name) for one in caller.service.depends_on]
    return [
        one.service.name
        for one in below
        if one is not None and (one.more_requests or 1.0) >= ASKED_MORE * (caller.more_requests or 1.0)
    ]


def changed_otherwise(findings: Findings, causes: Sequence[Hypothesis]) -> tuple[str, ...]:
    """Return the parts that were changed in the hours before, and are no cause."""
    guilty = {one.component for one in causes}
    guilty |= {one.component for one in findings.changes if one.setting in guilty}
    changed = [(one.service, one.at) for one in findings.rollouts]
    changed += [(one.component, one.at) for one in findings.changes]
    late = [name for name, at in changed if findings.onset - at <= LOOK_BACK]
    return tuple(name for name in dict.fromkeys(late) if name not in guilty)


def changes_told(findings: Findings) -> tuple[str, ...]:
    """Return what was changed in the hours before, in sentences, the newest first."""
    told = [(one.at, f"{one.brought} {_went(one)} out to {one.service}", one.by) for one in findings.rollouts]
    told += [(one.at, f"{one.event} of {one.setting or one.component}", one.by) for one in findings.changes]
    late = sorted((one for one in told if findings.onset - one[0] <= LOOK_BACK), reverse=True)
    return tuple(
        dict.fromkeys(f"{text} at {at:%H:%M:%S} UTC{f' by {by}' if by else ''}" for at, text, by in late)
    )


def _went(rollout: Rollout) -> str:
    return "is going" if rollout.shift is not None and rollout.shift.is_under_way else "went"
