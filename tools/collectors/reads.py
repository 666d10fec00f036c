"""What only the first look reads: no agent asks it, and whoever replays evidence can."""

from tools.collectors import functions, series
from tools.observe.sources import ReadTool

COLLECTED: tuple[ReadTool, ...] = (series.TOOL, functions.CONCURRENCY, functions.CONSUMERS)
