"""How the latency of single requests is spread around the median."""

# Factor and share of the requests.
SPREAD = ((0.7, 0.25), (0.9, 0.25), (1.1, 0.25), (1.5, 0.15), (2.1, 0.07), (3.0, 0.025), (4.2, 0.005))


def share_above(median_ms: float, limit_ms: float) -> float:
    """The share of requests that takes longer than a limit."""
    return sum(share for factor, share in SPREAD if median_ms * factor > limit_ms)
