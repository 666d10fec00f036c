"""Frozen records: what crosses between nodes, and what is stored."""
