"""What only the first look reads: no agent asks it, and whoever replays evidence can."""

from tools.collectors import dead_letters, functions, neighbours, quotas, series, sizes, tags
from tools.observe.sources import ReadTool

COLLECTED: tuple[ReadTool, ...] = (
    series.TOOL,
    dead_letters.TOOL,
    functions.CONCURRENCY,
    functions.CONSUMERS,
    neighbours.TOOL,
    quotas.QUOTA,
    sizes.TOOL,
    quotas.BUSIEST_FUNCTIONS,
    tags.SERVICE_TAGS,
    tags.FUNCTION_TAGS,
)
