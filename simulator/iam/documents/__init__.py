"""The policies that the account's own user and roles come with, as documents."""

from pathlib import Path

FOLDER = Path(__file__).parent


def policy_of(name: str) -> str:
    """The policy document of the `operator`, the `executor` or the `automation`."""
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")
