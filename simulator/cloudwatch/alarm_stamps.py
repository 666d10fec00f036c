"""The ways in which alarms write times."""

from datetime import datetime


def stamp(moment: datetime) -> str:
    """`2019-10-02T17:04:40.989+0000`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def spelled_out(moment: datetime) -> str:
    """`Friday 22 July, 2022 15:57:45 UTC`."""
    return moment.strftime("%A %d %B, %Y %H:%M:%S UTC")
