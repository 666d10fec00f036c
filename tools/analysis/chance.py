"""Whether so many failures can be chance."""

import math

SURE = 0.05
"""What is at most this likely is not taken for chance."""


def may_be_chance(failed: float, of: float, limit: float) -> bool:
    """Say whether a service that fails no more than `limit` of its requests may have failed so many of so many.

    By Hoeffding's bound on the tail of a binomial (Probability Inequalities for Sums of Bounded Random Variables, 1963,
    theorem 1): it calls a little more chance than there is, so that a few requests never undo what helped.
    """
    if of <= 0 or failed <= of * limit:
        return True
    if limit <= 0:
        return False
    share = min(failed / of, 1.0)
    apart = share * math.log(share / limit)
    if share < 1:
        apart += (1 - share) * math.log((1 - share) / (1 - limit))
    return of * apart < -math.log(SURE)
