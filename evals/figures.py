"""Figures over many trials: of the whole path, and of what the first look says alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.score import Score

# The gravest first, as the rubric has them.
LEVELS = ("critical", "high", "medium", "low", "none")
SURE = 0.8
NOT_SHOWN = "not-shown"
RESOLVED = "resolved"


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    part: int
    of: int

    @property
    def value(self) -> float:
        """Return the share; of nothing it is nought, since nothing was shown."""
        return self.part / self.of if self.of else 0.0

    def __str__(self) -> str:
        """Write the share in percent, with its counts."""
        return f"{100 * self.value:.0f} % ({self.part} of {self.of})" if self.of else "none of none"


@dataclass(frozen=True)
class Figures:
    """What the evaluation promises to tell, of one way to answer."""

    exact_causes: Share
    never_exact: tuple[str, ...]
    abstained: Share
    severity_exact: Share
    over_triaged: Share
    under_by_two: int
    sure_and_right: Share
    sure: Share
    uncited: int


@dataclass(frozen=True)
class Ends:
    """How incidents ended: of those that a change can cure, how many were resolved, and what became of the others."""

    resolved: Share
    handed_over: Share
    left_worse: int


@dataclass(frozen=True)
class Bar:
    """A figure, what was reached by the first look and by the whole path, and whether the latter is enough."""

    name: str
    wanted: str
    alone: str
    whole: str
    reached: bool


def whole_path(scores: Sequence[Score]) -> Figures:
    """Return the figures of what was assessed in the end."""
    return _figures(scores, alone=False)


def first_look_alone(scores: Sequence[Score]) -> Figures:
    """Return the figures of what code alone had found."""
    return _figures(scores, alone=True)


def ends(scores: Sequence[Score]) -> Ends:
    """Return how the trials ended. One that broke off resolved nothing and handed nothing over."""
    curable = [one for one in scores if one.curable]
    resolved = [one.played and one.end_state and one.status == RESOLVED for one in curable]
    others = [one for one, done in zip(curable, resolved, strict=True) if not done]
    worse = sum(bool(one.left) or (one.played and _claims_falsely(one)) for one in scores)
    return Ends(_share(resolved), _share([one.told_why for one in others]), worse)


def _claims_falsely(one: Score) -> bool:
    """Say whether an incident was closed as resolved while the account was not as it should be."""
    return one.status == RESOLVED and not one.end_state


def bars(scores: Sequence[Score]) -> tuple[Bar, ...]:
    """Return every figure beside what is wanted of it."""
    whole, alone = whole_path(scores), first_look_alone(scores)

    def never(one: Figures) -> str:
        return ", ".join(one.never_exact) or "none"

    def bar(name: str, wanted: str, of: str, *, reached: bool) -> Bar:
        return Bar(name, wanted, str(getattr(alone, of)), str(getattr(whole, of)), reached)

    return (
        bar("exact cause set", "at least 85 %", "exact_causes", reached=whole.exact_causes.value >= 0.85),
        Bar("never exact in any seed", "none", never(alone), never(whole), not whole.never_exact),
        bar(
            "abstained where unanswerable", "at least 90 %", "abstained", reached=whole.abstained.value >= 0.9
        ),
        bar("severity exact", "at least 85 %", "severity_exact", reached=whole.severity_exact.value >= 0.85),
        bar("over-triaged", "at most 15 %", "over_triaged", reached=whole.over_triaged.value <= 0.15),
        bar("under-triaged by two levels", "0", "under_by_two", reached=whole.under_by_two == 0),
        bar(
            f"right where confidence is {SURE} or more",
            "at least 95 %",
            "sure_and_right",
            reached=whole.sure_and_right.value >= 0.95,
        ),
        bar(
            f"answered with confidence {SURE} or more",
            "at least half",
            "sure",
            reached=whole.sure.value >= 0.5,
        ),
        bar("claims without a citation", "0", "uncited", reached=whole.uncited == 0),
        *_bars_of_ends(ends(scores)),
    )


def _bars_of_ends(found: Ends) -> tuple[Bar, ...]:
    others = found.handed_over
    return (
        Bar(
            "resolved where a change can cure",
            "at least 75 %",
            "",
            str(found.resolved),
            found.resolved.value >= 0.75,
        ),
        Bar("the others handed over with the reason", "all", "", str(others), others.part == others.of),
        Bar("left worse", "0", "", str(found.left_worse), found.left_worse == 0),
    )


def confusion(scores: Sequence[Score]) -> tuple[tuple[int, ...], ...]:
    """Return how often which level (column) was said for which true one (row), the gravest first.

    Where the truth allows several levels, the row is the one said if it is allowed, else the nearest that is.
    """
    grid = [[0] * len(LEVELS) for _ in LEVELS]
    for one in _graded(scores):
        true = _nearest(one)
        grid[true][LEVELS.index(one.severity)] += 1
    return tuple(map(tuple, grid))


def _figures(scores: Sequence[Score], *, alone: bool) -> Figures:
    played = [one for one in scores if one.played]
    right = {id(one): _right(one, alone=alone) for one in played}
    answerable = [one for one in played if one.asked not in {NOT_SHOWN, "none"}]
    names = dict.fromkeys(one.scenario for one in scores)
    never = (name for name in names if not any(right[id(one)] for one in played if one.scenario == name))
    unanswerable = [one for one in played if one.asked == NOT_SHOWN]
    abstained = [one for one in unanswerable if _verdict(one, alone=alone) == "unresolved"]
    graded = _graded(played)
    off = [_nearest(one) - LEVELS.index(one.severity) for one in graded]
    sure = [one for one in played if _is_sure(one, alone=alone)]
    return Figures(
        exact_causes=_share([right[id(one)] for one in answerable]),
        never_exact=tuple(never),
        abstained=Share(len(abstained), len(unanswerable)),
        severity_exact=_share([by == 0 for by in off]),
        over_triaged=_share([by > 0 for by in off]),
        under_by_two=sum(by <= -2 for by in off),
        sure_and_right=_share([right[id(one)] for one in sure]),
        sure=Share(len(sure), len(played)),
        uncited=0 if alone else sum(one.uncited for one in played),
    )


def _share(marks: Sequence[bool]) -> Share:
    return Share(sum(marks), len(marks))


def _right(one: Score, *, alone: bool) -> bool:
    """Say whether the verdict and the set of causes are right in every part."""
    marks = one.first_look if alone else one.answer
    return marks.verdict and marks.cause


def _verdict(one: Score, *, alone: bool) -> str:
    return one.first_verdict if alone else one.verdict


def _is_sure(one: Score, *, alone: bool) -> bool:
    """Say whether an answer was given with confidence; to abstain is none."""
    confidence = one.first_confidence if alone else one.confidence
    return _verdict(one, alone=alone) in {"cause", "noise"} and confidence >= SURE


def _graded(scores: Sequence[Score]) -> list[Score]:
    return [one for one in scores if one.played and one.severity in LEVELS and one.severities]


def _nearest(one: Score) -> int:
    said = LEVELS.index(one.severity)
    allowed = [LEVELS.index(level) for level in one.severities if level in LEVELS]
    return min(allowed, key=lambda level: abs(level - said), default=said)
