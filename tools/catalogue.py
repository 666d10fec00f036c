"""The only list of what agents may read."""

from tools.observe import (
    describe_alarm,
    get_metric,
    query_logs,
    search_runbooks,
    service_health,
    table_health,
    what_changed,
)
from tools.observe.sources import ReadTool

OBSERVE: tuple[ReadTool, ...] = (
    describe_alarm.TOOL,
    get_metric.TOOL,
    query_logs.TOOL,
    service_health.TOOL,
    table_health.TOOL,
    what_changed.TOOL,
    search_runbooks.TOOL,
)
