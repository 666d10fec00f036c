"""Benchmarks: whole commands, timed as processes beside a named peer in the same run."""
