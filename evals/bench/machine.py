"""What the benchmarks ran on: enough to compare, nothing that names the machine."""

import importlib.metadata
import os
import platform
import re
from pathlib import Path

MEASURED = ("typer", "pydantic", "botocore", "boto3", "langgraph-cli")


def machine() -> dict[str, str]:
    """Return the processor, the memory, the versions, and how many processes wanted to run beside what is timed."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} threads",
        "memory": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in MEASURED),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _memory() -> str:
    found = re.search(r"^MemTotal:\s*(\d+) kB", _text("/proc/meminfo"), re.MULTILINE)
    return f"{int(found[1]) / 2**20:.0f} GiB" if found else "unknown"


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
