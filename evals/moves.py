"""Which scenarios have a fault that can be elsewhere, and why the others have none."""

# Which scenarios have a fault that can be elsewhere, and to where it is moved.
MOVES = {
    "bad-deployment": ("payments", "inventory"),
    "throttled-table": ("payments", "inventory", "web"),
}
# And which have none, or none that can be moved yet. A scenario is in one of the two.
UNMOVED = {
    **dict.fromkeys(
        ("bad-function", "bad-shift", "injected-runbook", "red-herring"), "There is one function."
    ),
    **dict.fromkeys(("injected-alarm", "injected-log"), "Its twin is moved."),
    **dict.fromkeys(
        ("silent-service", "denied-logs"), "No evidence that may be read shows the cause, wherever it is."
    ),
    "dependency-outage": "Nobody but payments asks anyone outside.",
    "memory-leak": "It is as slow elsewhere, but how slow depends on the load, and no alarm would be set for that.",
    "poison-message": "There is one queue that a function reads.",
    "self-recovery": "Nobody but payments asks anyone outside.",
    "traffic-surge": "Who is too small for the traffic is said by the sizes of all the others.",
    "two-causes": "Each of the two moves in a scenario of its own.",
    "wrong-parameter": "No other call has a limit that can be set.",
    "false-alarm": "Nothing is broken. Elsewhere the job would be as harmless, and the answer the same: noise.",
    "injected-tag": "No other call has a limit that can be set.",
    "old-cause": "No evidence of the last day shows the cause, wherever it is.",
    "spent-quota": "No other function could be crowded out.",
    "throttled-reads": "No other service reads the table.",
    "hidden-cause": "No evidence shows the cause. Elsewhere it would be shown as little, so no answer could move.",
}
