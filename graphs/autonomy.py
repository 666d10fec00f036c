"""How far the copilot may go: `settings/autonomy.toml`, and what it says of one account.

Everything here only narrows: what is not named is observed, a level for a service or an action never exceeds its
account's, and an account without a role is not written to.
"""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from memory.records.base import Record
from memory.records.config import Autonomy
from memory.records.incident import Severity

SIMULATED = "simulated"
"""Stands for the account on this machine where an account's number would stand."""
_ORDER = tuple(Autonomy)
_NUMBER = re.compile(r"\d{12}")


def _account(name: str) -> str:
    if not _NUMBER.fullmatch(name):
        raise ValueError(f"{name} is no account: its number has 12 digits")
    return name


def _account_or_simulated(name: str) -> str:
    return name if name == SIMULATED else _account(name)


def _any_or_account(name: str) -> str:
    return name and _account_or_simulated(name)


Account = Annotated[str, AfterValidator(_account_or_simulated)]
"""An account's number, or the word for the one on this machine: a number with a slip in it would be about nothing."""


class LevelRow(Record):
    """A level for what fits every name of the row that is given; it counts where it is lower than the account's."""

    level: Autonomy
    account: Annotated[str, AfterValidator(_any_or_account)] = ""
    service: str = ""
    action: str = ""

    @model_validator(mode="after")
    def _names_something(self) -> "LevelRow":
        if not (self.service or self.action):
            raise ValueError(
                "a level names a service, an action or both; an account's own stands under [accounts]"
            )
        return self

    def applies(self, account: str, action: str, services: Collection[str] | None) -> bool:
        """Say whether the row is about an action on a service in an account; None may be any service.

        Services are compared without case: a row that was meant for one must not miss it by a capital.
        """
        return (
            self.account in {"", account}
            and self.action in {"", action}
            and (not self.service or services is None or self.is_of(services))
        )

    def is_of(self, services: Collection[str]) -> bool:
        """Say whether the row's service is one of some."""
        return self.service.casefold() in {name.casefold() for name in services}


class QuorumRow(Record):
    """How many people have to approve what reaches every limit of the row that is set."""

    approvers: int = Field(ge=1, le=9)
    severities: tuple[Severity, ...] = ()
    min_blast_percent: int = Field(default=0, ge=0, le=100)

    def applies(self, severity: Severity, blast_percent: int) -> bool:
        """Say whether a plan reaches the limits."""
        return (
            not self.severities or severity in self.severities
        ) and blast_percent >= self.min_blast_percent


class Freeze(Record):
    """A time in which nothing is changed without a person, in some accounts or in all."""

    name: str = Field(min_length=1)
    begins: AwareDatetime
    ends: AwareDatetime
    accounts: tuple[Account, ...] = ()

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Freeze":
        if self.ends <= self.begins:
            raise ValueError(f"the freeze {self.name} ends before it begins")
        return self

    def holds(self, account: str, now: datetime) -> bool:
        """Say whether changes are frozen in an account now."""
        return self.begins <= now < self.ends and (not self.accounts or account in self.accounts)


class AutonomySettings(Record):
    """The file as it is written."""

    default: Autonomy = Autonomy.OBSERVE
    simulated: Autonomy = Autonomy.OBSERVE
    simulated_approvers: int = Field(default=9, ge=1)
    kill_switch: bool = False
    changes_an_hour: int = Field(default=4, ge=1)
    change_calendars: tuple[str, ...] = ()
    accounts: dict[Annotated[str, AfterValidator(_account)], Autonomy] = Field(default_factory=dict)
    levels: tuple[LevelRow, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    quorum: tuple[QuorumRow, ...] = ()
    roles: dict[Account, str] = Field(default_factory=dict)

    def in_account(self, account: str, *, simulated: bool) -> "AccountAutonomy":
        """Return what the file says of one account."""
        named = SIMULATED if simulated else account
        level = self.simulated if simulated else self.accounts.get(account, self.default)
        role = self.roles.get(named)
        return AccountAutonomy(
            account=account,
            named=named,
            level=level,
            role=role.replace("ACCOUNT", account) if role else None,
            most_approvers=self.simulated_approvers if simulated else None,
            settings=self,
        )


def unknown_action(settings: AutonomySettings) -> str | None:
    """Return which level names an action that no catalogue has, with those that there are; or None.

    A level for a name that no action has narrows nothing, while whoever wrote it believes that it does.
    """
    named = [(number, row.action) for number, row in enumerate(settings.levels) if row.action]
    if not named:
        return None
    from tools.actions.registry import ACTIONS  # every command reads settings, and few name actions there

    known = sorted(action.name for action in ACTIONS)
    wrong = next(((number, name) for number, name in named if name not in known), None)
    if wrong is None:
        return None
    return f"levels.{wrong[0]}.action: there is no action {wrong[1]}; it is one of {', '.join(known)}"


class AccountAutonomy(Record):
    """What the settings say of one account; `named` is what the file calls it."""

    account: str
    named: str
    level: Autonomy
    role: str | None
    most_approvers: int | None
    settings: AutonomySettings

    def level_of(self, action: str, services: Collection[str] | None) -> Autonomy:
        """Return how far the copilot may go with an action on some services: the lowest level that applies.

        Where it is not known whose the target is, the levels of all services apply.
        """
        rows = [row.level for row in self.settings.levels if row.applies(self.named, action, services)]
        return min((self.level, *rows), key=_ORDER.index)

    @property
    def named_services(self) -> frozenset[str]:
        """Return the services that levels are set for."""
        return frozenset(row.service for row in self.settings.levels if row.service)

    @property
    def calendars(self) -> tuple[str, ...]:
        """Return the change calendars of Systems Manager that have to be open."""
        return self.settings.change_calendars

    def frozen_by(self, now: datetime) -> str | None:
        """Return the freeze of the settings that holds now, or None."""
        return next((one.name for one in self.settings.freezes if one.holds(self.named, now)), None)

    def approvers(self, severity: Severity, blast_percent: int) -> int:
        """Return how many people have to approve a plan: what the strictest row that applies says, else one."""
        rows = [row.approvers for row in self.settings.quorum if row.applies(severity, blast_percent)]
        wanted = max(rows, default=1)
        return min(wanted, self.most_approvers) if self.most_approvers is not None else wanted
