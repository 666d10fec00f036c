"""The only list of what agents may read."""

from tools.observe import (
    alarm_history,
    code_deployments,
    describe_alarm,
    function_health,
    get_metric,
    parameter_history,
    query_logs,
    queue_health,
    search_runbooks,
    service_health,
    stopped_tasks,
    table_health,
    trace_request,
    what_changed,
)
from tools.observe.sources import ReadTool

OBSERVE: tuple[ReadTool, ...] = (
    describe_alarm.TOOL,
    alarm_history.TOOL,
    get_metric.TOOL,
    query_logs.TOOL,
    trace_request.TOOL,
    service_health.TOOL,
    stopped_tasks.TOOL,
    function_health.TOOL,
    queue_health.TOOL,
    table_health.TOOL,
    parameter_history.TOOL,
    what_changed.TOOL,
    code_deployments.TOOL,
    search_runbooks.TOOL,
)
