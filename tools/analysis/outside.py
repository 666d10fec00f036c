"""Parts outside what can be looked at: what those that call them say of them in their own new failures."""

import re

from tools.analysis.findings import ServiceFinding

OUTSIDE = "external"
# Among several that are named, one that is named less than half as often as the first is named in passing.
IN_PASSING = 0.5


def blamed_outside(finding: ServiceFinding) -> tuple[str, ...]:
    """Return the parts outside that an affected service's new failures name, the most named first."""
    if not finding.affected:
        return ()
    told: dict[str, float] = {}
    for part in dict.fromkeys(one.name for one in finding.service.depends_on if one.kind == OUTSIDE):
        pattern = re.compile(rf"(?<![\w-]){re.escape(part)}(?![\w-])")
        rates = [one.after_per_minute for one in finding.log_changes if pattern.search(one.example)]
        told[part] = sum(rates)
    most = max(told.values(), default=0.0)
    named = [part for part, rate in told.items() if rate and rate >= most * IN_PASSING]
    return tuple(sorted(named, key=lambda part: -told[part]))
