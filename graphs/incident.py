"""The incident graph: its nodes, its edges and its failure policy, on one page.

A leaf: the LangGraph server loads this file by path, so nothing imports it but tests. It holds no client and
no state; `Deferred` opens the copilot when the first step runs.
"""

from graphs.bootstrap import Deferred, open_own
from graphs.wiring import wire

graph = wire(Deferred(open_own)).compile(name="incident")
