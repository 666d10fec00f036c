"""Take the first look at a simulated account whose alarm fired by itself."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from memory.records.alarm import Alarm, AlarmState, Metric
from memory.records.assessment import FirstLook
from memory.records.config import Limits, Rubric, Topology
from memory.records.evidence import Evidence
from memory.records.incident import Incident, incident_id
from memory.records.scope import Scope
from tests.simulated import SimulatedAccount
from tests.tools.stand_ins import Kept, NoRunbooks, recorder
from tools.aws.access import AwsAccess
from tools.aws.clock import AccountClock
from tools.evidence import Recorder
from tools.first_look import take_first_look
from tools.observe.sources import Sources
from tools.topology import load_topology

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "simulator" / "scenarios"
WORLDS = ROOT / "simulator" / "worlds"
RUBRIC = Rubric.model_validate(tomllib.loads((ROOT / "settings" / "severity.toml").read_text()))
TOPOLOGY = "/storefront/topology"


@dataclass(frozen=True)
class Seen:
    look: FirstLook
    evidence: list[Evidence]
    incident: Incident
    started: datetime


def sources_of(account: SimulatedAccount, kept: Kept | None = None, parameter: str = TOPOLOGY) -> Sources:
    local = account.local
    access = AwsAccess(local["region"], local["endpoint"], local["access_key_id"], local["secret_access_key"])
    clock, scope = AccountClock(local["clock"]), Scope(account=local["account"], region=local["region"])
    ledger = recorder(kept or Kept()).ledger
    return Sources(
        access=access,
        recorder=Recorder(ledger, clock, scope, "i-1"),
        clock=clock,
        topology=load_topology(access, parameter, Topology()),
        scope=scope,
        limits=Limits(),
        runbooks=NoRunbooks(),
    )


def look_when_it_fires(account: SimulatedAccount, minutes: int = 20, parameter: str = TOPOLOGY) -> Seen:
    """Step the account until any alarm fires, and look."""
    started = account.now()
    for _ in range(minutes):
        account.advance(60)
        fired = [a for a in _alarms(account) if a["StateValue"] == "ALARM"]
        if fired:
            return look_at(account, fired[0], started, parameter)
    raise AssertionError(f"no alarm in {minutes} minutes")


def look_at(
    account: SimulatedAccount, alarm: Mapping[str, Any], started: datetime, parameter: str = TOPOLOGY
) -> Seen:
    kept = Kept()
    sources = sources_of(account, kept, parameter)
    incident = incident_of(alarm, sources.scope, account.now())
    return Seen(take_first_look(sources, incident, RUBRIC), kept.evidence, incident, started)


def the_alarm(account: SimulatedAccount) -> Mapping[str, Any]:
    return _alarms(account)[0]


def incident_of(alarm: Mapping[str, Any], scope: Scope, at: datetime) -> Incident:
    metric = Metric(
        namespace=alarm["Namespace"],
        name=alarm["MetricName"],
        dimensions={d["Name"]: d["Value"] for d in alarm["Dimensions"]},
        stat=alarm.get("Statistic") or alarm.get("ExtendedStatistic"),
        period_seconds=alarm["Period"],
    )
    fact = Alarm(
        name=alarm["AlarmName"],
        arn=alarm["AlarmArn"],
        scope=scope,
        state=AlarmState.ALARM,
        changed_at=at,
        metrics=(metric,),
        threshold=alarm["Threshold"],
    )
    identity = incident_id(scope, fact.arn, at)
    return Incident(
        incident_id=identity,
        thread_id=identity,
        scope=scope,
        alarm=fact,
        event_id="e",
        episode_started_at=at,
        opened_at=at,
    )


def variant(folder: Path, scenario: str, words: Mapping[str, str]) -> Path:
    """Write a scenario and its world into another folder, with words exchanged."""
    _exchange(SCENARIOS / scenario / "scenario.toml", folder / scenario / "scenario.toml", words)
    for world in WORLDS.glob("*.toml"):
        _exchange(world, folder / "worlds" / world.name, words)
    return folder


def _exchange(source: Path, target: Path, words: Mapping[str, str]) -> None:
    text = source.read_text()
    for old, new in words.items():
        text = text.replace(old, new)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def _alarms(account: SimulatedAccount) -> list[Mapping[str, Any]]:
    found: Iterator[Mapping[str, Any]] = iter(account.client("cloudwatch").describe_alarms()["MetricAlarms"])
    return list(found)
