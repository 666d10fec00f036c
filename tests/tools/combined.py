"""Several ways at once to have an action done that nobody authorised, of which none undoes another.

One spoil may mend what another has spoiled: a decision that is signed anew is no forgery, and a pane broken without the
role for it by somebody who is then given that role is an approval. So each says what it spoils, what it puts right
where it comes later, and what it needs to find.
"""

import random
from dataclasses import dataclass
from itertools import permutations

from tests.tools import tampering as one
from tests.tools.tampering import Spoil

MOST = 3
_WHO = frozenset({"person", "proposer", "tenant", "role"})
_SIGNED = frozenset({"signature"})
# What asking anew puts right: the same person decides, in form, on the request as it now is.
_RESEALED = frozenset({"seal of the request"})
_ASKED_ANEW = frozenset({"seal", "decision of", "glass", *_WHO, *_SIGNED, *_RESEALED})
_BOTH = frozenset({"request", "decision"})


@dataclass(frozen=True)
class Spoiling:
    """A spoil: what it spoils, what it puts right that was spoiled before, and what must be there for it.

    `weakens` is what means nothing beside it, whichever comes first.
    """

    spoil: Spoil
    spoils: str
    mends: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    weakens: frozenset[str] = frozenset()


def _plain(spoil: Spoil, spoils: str, *needs: str, weakens: frozenset[str] = frozenset()) -> Spoiling:
    return Spoiling(spoil, spoils, needs=frozenset(needs), weakens=weakens)


def _asking(spoil: Spoil, spoils: str) -> Spoiling:
    return Spoiling(spoil, spoils, _ASKED_ANEW, _BOTH)


def _deciding(
    spoil: Spoil, spoils: str, mends: frozenset[str] = frozenset(), weakens: frozenset[str] = frozenset()
) -> Spoiling:
    return Spoiling(spoil, spoils, (_SIGNED | mends) - {spoils}, _BOTH, weakens)


# What is done before it is wiped out has to be done while all is as it was asked: it comes first.
_ALL = frozenset(
    {
        "place",
        "switch",
        "policy",
        "request",
        "incident asked about",
        "actions",
        "hash",
        "status",
        "seal of the request",
        "denial",
        "quorum",
        "width",
        "amount",
        "way back",
        "decision",
        "decision of",
        "seal",
        "signature",
        *_WHO,
        "glass",
        "time",
        "lapse",
        "used",
        "state",
        "fingerprints",
        "plan",
        "step",
        "incident",
        "withdrawn",
        "claim",
    }
)

SPOILINGS: tuple[Spoiling, ...] = (
    _plain(one.elsewhere, "place"),
    _plain(one.stopped, "switch"),
    Spoiling(one.refused_by_policy, "policy", mends=frozenset({"place", "width"})),
    _plain(one.never_asked, "request"),
    _asking(one.asked_elsewhere, "incident asked about"),
    _asking(one.asked_about_other_actions, "actions"),
    _asking(one.asked_about_another_hash, "hash"),
    _plain(one.not_approved_in_the_end, "status", "request"),
    Spoiling(one.changed_before_the_decision, "seal of the request", _ASKED_ANEW - _RESEALED, _BOTH),
    _plain(one.denied_too, "denial", "request"),
    _asking(one.too_few, "quorum"),
    _plain(one.undecided, "decision"),
    _plain(one.wider_than_asked, "width"),
    _asking(one.more_than_shown, "amount"),
    _plain(one.more_final_than_shown, "way back"),
    _plain(one.frozen_since, "freeze"),
    _deciding(one.decided_on_something_else, "decision of"),
    _plain(
        one.request_changed_since,
        "seal",
        "request",
        weakens=frozenset({"quorum", "role", "proposer", "time", "lapse"}),
    ),
    Spoiling(one.unsigned, "signature", _WHO, _BOTH, frozenset({"quorum", "glass"})),
    _deciding(one.no_person, "person", _WHO),
    _deciding(one.by_its_proposer, "proposer", _WHO),
    _deciding(one.by_a_stranger, "tenant", _WHO),
    _deciding(one.without_the_role, "role", _WHO),
    _deciding(one.glass_without_the_role, "glass", _WHO, frozenset({"quorum", "role"})),
    _deciding(one.decided_out_of_time, "time"),
    _plain(one.lapsed, "lapse"),
    _plain(one.used, "used", "request"),
    _plain(one.drifted, "state"),
    _asking(one.bound_to_no_state, "fingerprints"),
    _plain(one.another_plan, "plan"),
    Spoiling(
        one.withdrawn_and_put_back,
        "withdrawn",
        mends=frozenset({"status"}),
        needs=frozenset({"request", "used", "done before"}),
        weakens=frozenset({"hash", "incident asked about"}),
    ),
    Spoiling(one.wiped_out_or_put_back, "done before", needs=_ALL),
    Spoiling(one.claimed_by_hand, "claim", mends=frozenset({"done before"}), weakens=frozenset({"used"})),
    _plain(one.no_such_step, "step"),
    _plain(one.another_incident, "incident", weakens=frozenset({"place"})),
)


def drawn(rng: random.Random, first: Spoiling) -> tuple[Spoiling, ...]:
    """Draw none to two further spoils beside one, in an order in which each still stands at the end."""
    wanted = rng.randrange(MOST)
    while True:
        chosen = (first, *rng.sample([one for one in SPOILINGS if one is not first], wanted))
        orders = [order for order in permutations(chosen) if _all_stand(order)]
        if orders:
            return rng.choice(orders)


def _all_stand(order: tuple[Spoiling, ...]) -> bool:
    for at, earlier in enumerate(order):
        if any(earlier.spoils in other.weakens for other in order):
            return False
        if any(earlier.spoils in (later.mends | later.needs) for later in order[at + 1 :]):
            return False
    return True
