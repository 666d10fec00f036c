"""Seeded chance: counts that vary as counts do."""

import math
from hashlib import md5
from random import Random


def rounded(random: Random, expected: float) -> int:
    """An integer that is `expected` on average."""
    return math.floor(expected + random.random())


def counted(random: Random, trials: int, share: float) -> int:
    """How many of `trials` come out, each with probability `share`."""
    expected = trials * share
    if expected <= 0 or share >= 1:
        return trials if share >= 1 else 0
    if expected < 8:
        return min(trials, _poisson(random, expected))
    deviation = math.sqrt(expected * (1 - share))
    return max(0, min(trials, round(random.gauss(expected, deviation))))


def _poisson(random: Random, expected: float) -> int:
    limit, product, count = math.exp(-expected), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


def steady(name: str, low: float, high: float) -> float:
    """A number between two others that belongs to a name for ever."""
    digest = md5(name.encode(), usedforsecurity=False).digest()
    return low + (high - low) * int.from_bytes(digest[:4], "big") / 0xFFFFFFFF
