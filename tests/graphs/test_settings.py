import json
import os
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from graphs.autonomy import AccountAutonomy
from graphs.settings import Settings, World, from_environment, load
from memory.records.config import Autonomy
from memory.records.incident import Severity
from tools.errors import Misconfigured

ROOT = Path(__file__).parent.parent.parent
AWS = {"CLOUDOPS_WORLD": "aws", "AWS_REGION": "eu-west-1"}


def simulated(state_dir: Path, **changed: Any) -> None:
    """Leave the file that a simulated account leaves."""
    facts = {
        "pid": os.getpid(),
        "region": "us-east-1",
        "endpoint": "http://127.0.0.1:4566",
        "access_key_id": "a",
        "secret_access_key": "s",
        "clock": "http://127.0.0.1:4566/_sim/clock",
    }
    state_dir.mkdir(parents=True, exist_ok=True)
    (state_dir / "local.json").write_text(json.dumps({**facts, **changed}))


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """A copy of the settings folder, to break."""
    return Path(shutil.copytree(ROOT / "settings", tmp_path / "settings"))


def test_every_committed_file_parses() -> None:
    settings = load(AWS, ROOT)
    assert settings.rubric.rows
    assert settings.prices.models
    assert settings.topology_parameter == "/storefront/topology"


def test_without_an_account_nothing_is_assumed(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cloudops sim up"):
        load({"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a"}, tmp_path)


def test_a_world_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="'moon'"):
        load({"CLOUDOPS_WORLD": "moon"}, tmp_path)


def test_aws_without_a_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="AWS_REGION"):
        load({"CLOUDOPS_WORLD": "aws"}, tmp_path)


def test_aws_wins_over_a_simulated_account_that_runs(tmp_path: Path) -> None:
    simulated(tmp_path / ".cloudops")
    settings = load(AWS, tmp_path)
    assert settings.connection.world is World.AWS
    assert settings.connection.endpoint_url is None
    assert settings.connection.secret_access_key is None


def test_a_simulated_account_that_runs_is_found(tmp_path: Path) -> None:
    simulated(tmp_path / ".cloudops")
    settings = load({}, tmp_path)
    assert settings.connection.world is World.SIMULATED
    assert settings.connection.endpoint_url == "http://127.0.0.1:4566"


def test_the_file_of_a_dead_process_does_not_count(tmp_path: Path) -> None:
    simulated(tmp_path / ".cloudops", pid=2**22 + 1)
    with pytest.raises(Misconfigured, match="no account"):
        load({}, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x"}'])
def test_a_broken_local_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "local.json").write_text(text.replace("1}", f"{os.getpid()}}}"))
    with pytest.raises(Misconfigured, match=r"local\.json"):
        load({"CLOUDOPS_STATE_DIR": str(tmp_path)}, tmp_path)


def test_an_account_on_aws_is_observed_unless_it_is_named(own_folder: Path) -> None:
    settings = load(AWS, own_folder.parent)
    assert settings.autonomy_of("111122223333") is Autonomy.OBSERVE

    with (own_folder / "autonomy.toml").open("a") as file:
        file.write('\n[accounts]\n"111122223333" = "propose"\n')
    named = load(AWS, own_folder.parent)
    assert named.autonomy_of("111122223333") is Autonomy.PROPOSE
    assert named.autonomy_of("444455556666") is Autonomy.OBSERVE


def test_the_simulated_level_is_for_the_simulated_world_only(tmp_path: Path) -> None:
    simulated(tmp_path / ".cloudops")
    assert load({}, tmp_path).autonomy_of("123456789012") is Autonomy.ACT_ON_MEDIUM
    assert load(AWS, tmp_path).autonomy_of("123456789012") is Autonomy.OBSERVE


def test_an_empty_autonomy_file_means_observe(own_folder: Path) -> None:
    (own_folder / "autonomy.toml").write_text("")
    simulated(own_folder.parent / ".cloudops")
    for env in ({}, AWS):
        settings = load(env, own_folder.parent)
        assert settings.autonomy_of("123456789012") is Autonomy.OBSERVE


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "settings").glob("*.toml")))
def test_broken_toml_is_named(own_folder: Path, name: str) -> None:
    (own_folder / name).write_text("= nothing")
    with pytest.raises(Misconfigured, match=re.escape(name)):
        load(AWS, own_folder.parent)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "settings").glob("*.toml")))
def test_a_missing_file_is_named(own_folder: Path, name: str) -> None:
    (own_folder / name).unlink()
    with pytest.raises(Misconfigured, match=re.escape(name)):
        load(AWS, own_folder.parent)


def test_a_word_that_no_setting_knows_is_refused(own_folder: Path) -> None:
    (own_folder / "autonomy.toml").write_text('defualt = "act_on_medium"\n')
    with pytest.raises(Misconfigured, match="defualt"):
        load(AWS, own_folder.parent)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            '[[levels]]\naction = "ecs_rollback"\nlevel = "observe"',
            r"levels\.0\.action.*ecs_rollback;.* ecs_rollback_service,",
        ),
        (
            '[[levels]]\nservice = "web"\naccount = "11112222333"\nlevel = "observe"',
            r"levels\.0\.account.*12 digits",
        ),
        ('[accounts]\n11112222333 = "observe"', r"accounts.*11112222333.*12 digits"),
        ('[accounts]\nsimulated = "observe"', r"accounts.*12 digits"),
        ('[roles]\n"1111 2222 3333" = "arn:aws:iam::111122223333:role/x"', r"roles.*12 digits"),
        (
            '[[freezes]]\nname = "f"\nbegins = 2026-01-01T00:00:00Z\nends = 2027-01-01T00:00:00Z\n'
            'accounts = ["111122223333", "11112222333"]',
            r"freezes\.0\.accounts\.1.*11112222333.*12 digits",
        ),
    ],
)
def test_a_slip_in_a_name_is_refused_and_not_a_row_about_nothing(
    own_folder: Path, said: str, why: str
) -> None:
    (own_folder / "autonomy.toml").write_text(said)
    with pytest.raises(Misconfigured, match=rf"autonomy\.toml is wrong: {why}"):
        load(AWS, own_folder.parent)


def test_rows_about_what_there_is_are_taken(own_folder: Path) -> None:
    said = '[[levels]]\naction = "ecs_rollback_service"\naccount = "{}"\nlevel = "observe"\n'
    (own_folder / "autonomy.toml").write_text(said.format("111122223333") + said.format("simulated"))
    assert len(load(AWS, own_folder.parent).autonomy.levels) == 2


def test_a_level_that_does_not_exist_is_refused(own_folder: Path) -> None:
    (own_folder / "autonomy.toml").write_text('default = "act_on_everything"\n')
    with pytest.raises(Misconfigured, match="default"):
        load(AWS, own_folder.parent)


@pytest.mark.parametrize(
    ("value", "on"), [("1", True), ("true", True), ("YES", True), ("on", True), ("", False), ("0", False)]
)
def test_the_kill_switch_can_be_thrown_from_the_environment(value: str, on: bool) -> None:
    assert load({**AWS, "CLOUDOPS_KILL_SWITCH": value}, ROOT).autonomy.kill_switch is on


def test_the_environment_cannot_release_the_kill_switch(own_folder: Path) -> None:
    (own_folder / "autonomy.toml").write_text("kill_switch = true\n")
    assert load({**AWS, "CLOUDOPS_KILL_SWITCH": "0"}, own_folder.parent).autonomy.kill_switch


@pytest.mark.parametrize(("value", "consumes"), [("on", True), ("ON", True), ("off", False), ("", True)])
def test_servers_consume_the_queue_unless_it_is_switched_off(value: str, consumes: bool) -> None:
    assert load({**AWS, "CLOUDOPS_QUEUE": value}, ROOT).consumes_queue is consumes
    assert load(AWS, ROOT).consumes_queue


def test_a_switch_that_says_neither_on_nor_off_is_refused() -> None:
    with pytest.raises(Misconfigured, match="CLOUDOPS_QUEUE"):
        load({**AWS, "CLOUDOPS_QUEUE": "perhaps"}, ROOT)


def test_models_can_be_named_by_tier_in_the_environment() -> None:
    settings = load({**AWS, "CLOUDOPS_MODEL_SMALL": "global.amazon.nova-2-lite-v1:0"}, ROOT)
    assert settings.models.tiers["small"] == "global.amazon.nova-2-lite-v1:0"
    assert settings.models.tiers["large"] != settings.models.tiers["small"]


def test_the_worlds_use_different_models(tmp_path: Path) -> None:
    simulated(tmp_path / ".cloudops")
    assert load({}, tmp_path).models.tiers["small"].startswith("local.")
    assert not load(AWS, tmp_path).models.tiers["small"].startswith("local.")


def test_every_model_that_is_chosen_has_a_price_or_says_local() -> None:
    settings: Settings = load(AWS, ROOT)
    priced = {price.model_id for price in settings.prices.models}
    assert set(settings.models.tiers.values()) <= priced


def test_the_process_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLOUDOPS_TENANT", "blue")
    simulated(tmp_path / "elsewhere")
    settings = from_environment(state_dir=tmp_path / "elsewhere")
    assert settings.tenant == "blue"
    assert settings.state_dir == tmp_path / "elsewhere"


OUTWARD = load(AWS, ROOT).outward


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("langsmith", ""),
        ("langsmith", "https://eu.api.smith.langchain.com"),
        ("token_issuers", "https://cognito-idp.eu-west-1.amazonaws.com/POOL/.well-known/jwks.json"),
    ],
)
def test_services_outside_aws_are_reached_where_their_lists_allow(name: str, url: str) -> None:
    for simulated in (True, False):
        assert OUTWARD.url_of(name, url, simulated=simulated) == (url or "https://api.smith.langchain.com")


@pytest.mark.parametrize(
    ("name", "url", "remedy"),
    [
        ("langsmith", "https://smith.example", r"add it to allowed_hosts of \[langsmith\]"),
        ("langsmith", "https://api.smith.langchain.com.evil.example", "allowed_hosts"),
        ("langsmith", "https://a.b.api.smith.langchain.com", "allowed_hosts"),
        ("langsmith", "https://api.smith.langchain.com@evil.example", "https://host/path"),
        ("langsmith", "http://api.smith.langchain.com", "use https"),
        ("langsmith", "ftp://api.smith.langchain.com", "https://host/path"),
        ("langgraph_server", "", "https://host/path"),
        ("langgraph_server", "https://graph.example", r"\[langgraph_server\]"),
        ("token_issuers", "https://idp.example/jwks", r"\[token_issuers\]"),
        ("token_issuers", "https://cognito-idp.evil.example/x.amazonaws.com", r"\[token_issuers\]"),
    ],
)
def test_any_other_host_or_way_is_refused_with_the_remedy(name: str, url: str, remedy: str) -> None:
    for simulated in (True, False):
        with pytest.raises(Misconfigured, match=remedy):
            OUTWARD.url_of(name, url, simulated=simulated)


@pytest.mark.parametrize("name", ["langsmith", "langgraph_server", "token_issuers"])
@pytest.mark.parametrize("url", ["http://127.0.0.1:2024", "http://localhost:1", "http://[::1]:1"])
def test_this_machine_serves_the_simulated_account_only(name: str, url: str) -> None:
    assert OUTWARD.url_of(name, url, simulated=True) == url
    with pytest.raises(Misconfigured, match="this machine"):
        OUTWARD.url_of(name, url, simulated=False)


@pytest.mark.parametrize("host", ["*", "*.com", "com", "example.*", "api*.example.com", ""])
def test_a_list_that_would_allow_nearly_everything_is_refused(own_folder: Path, host: str) -> None:
    text = (
        (own_folder / "outward.toml").read_text().replace("allowed_hosts = []", f'allowed_hosts = ["{host}"]')
    )
    (own_folder / "outward.toml").write_text(text)
    with pytest.raises(Misconfigured, match=r"outward\.toml"):
        load(AWS, own_folder.parent)


def test_a_host_that_a_team_lists_is_reached(own_folder: Path) -> None:
    path = own_folder / "outward.toml"
    path.write_text(path.read_text().replace("allowed_hosts = []", 'allowed_hosts = ["graph.example"]'))
    settings = load({**AWS, "CLOUDOPS_RUNS_URL": "https://graph.example"}, own_folder.parent)
    assert settings.runs_url == settings.outward_url("langgraph_server", settings.runs_url or "")


def test_a_base_url_stands_where_the_environment_names_none(own_folder: Path) -> None:
    path = own_folder / "outward.toml"
    text = path.read_text().replace("allowed_hosts = []", 'allowed_hosts = ["graph.example"]')
    path.write_text(text.replace('base_url = ""', 'base_url = "https://graph.example"', 1))
    assert load(AWS, own_folder.parent).runs_url == "https://graph.example"


def test_settings_that_name_a_host_outside_the_lists_are_refused_before_it_is_called(
    own_folder: Path,
) -> None:
    cwd = own_folder.parent
    with pytest.raises(Misconfigured, match="langgraph_server"):
        load({**AWS, "CLOUDOPS_RUNS_URL": "https://graph.example"}, cwd)
    traced = {**AWS, "LANGSMITH_TRACING": "true"}
    load(traced, cwd)
    with pytest.raises(Misconfigured, match="langsmith"):
        load({**traced, "LANGSMITH_ENDPOINT": "https://smith.example"}, cwd)
    issuer = '[[issuers]]\nissuer = "i"\naudience = "a"\njwks_url = "https://idp.example/jwks"\n'
    with (own_folder / "access.toml").open("a") as file:
        file.write(issuer)
    with pytest.raises(Misconfigured, match="token_issuers"):
        load(AWS, cwd)


def test_traces_stay_where_the_list_is_even_when_the_environment_names_no_place(own_folder: Path) -> None:
    path = own_folder / "outward.toml"
    only = text_with_langsmith_at(path.read_text(), "eu.api.smith.langchain.com")
    path.write_text(only)
    traced = {**AWS, "LANGCHAIN_TRACING_V2": "true"}
    with pytest.raises(Misconfigured, match=r"api\.smith\.langchain\.com is not a host of langsmith"):
        load(traced, own_folder.parent)
    load({**traced, "LANGSMITH_ENDPOINT": "https://eu.api.smith.langchain.com"}, own_folder.parent)


def text_with_langsmith_at(text: str, host: str) -> str:
    return text.replace(
        'allowed_hosts = ["api.smith.langchain.com", "*.api.smith.langchain.com"]',
        f'allowed_hosts = ["{host}"]',
    )


# How far the copilot may go: by account, service and action, by time, and with how many people.


def _autonomy(folder: Path, text: str) -> AccountAutonomy:
    """What the file says of account 111122223333, with some text added to it."""
    path = folder / "autonomy.toml"
    path.write_text(f"{path.read_text()}\n{text}\n")
    return load({**AWS, "CLOUDOPS_SETTINGS": str(folder)}, ROOT).autonomy_in("111122223333")


LEVELS = """
[accounts]
"111122223333" = "act_on_low"
[[levels]]
action = "ecs_rollback_service"
level = "propose"
[[levels]]
service = "checkout"
level = "observe"
[[levels]]
service = "web"
level = "act_on_medium"
[[levels]]
account = "444455556666"
action = "ecs_stop_task"
level = "observe"
"""


@pytest.mark.parametrize(
    ("action", "services", "level"),
    [
        ("lambda_shift_alias", {"orders"}, Autonomy.ACT_ON_LOW),
        ("ecs_rollback_service", {"orders"}, Autonomy.PROPOSE),
        ("ecs_rollback_service", {"orders", "checkout"}, Autonomy.OBSERVE),
        ("lambda_shift_alias", {"web"}, Autonomy.ACT_ON_LOW),
        ("ecs_stop_task", {"orders"}, Autonomy.ACT_ON_LOW),
    ],
)
def test_the_lowest_level_that_applies_counts(
    own_folder: Path, action: str, services: set[str], level: Autonomy
) -> None:
    assert _autonomy(own_folder, LEVELS).level_of(action, services) is level


def test_a_freeze_holds_from_its_beginning_to_its_end(own_folder: Path) -> None:
    at = _autonomy(
        own_folder,
        '[[freezes]]\nname = "year"\nbegins = 2026-12-20T00:00:00Z\nends = 2027-01-05T00:00:00+01:00\n'
        '[[freezes]]\nname = "elsewhere"\nbegins = 2026-01-01T00:00:00Z\nends = 2027-01-01T00:00:00Z\n'
        'accounts = ["444455556666"]',
    )

    moments = ["2026-12-19T23:59:59+00:00", "2026-12-20T00:00:00+00:00", "2027-01-04T23:00:00+00:00"]
    assert [at.frozen_by(datetime.fromisoformat(one)) for one in moments] == [None, "year", None]


@pytest.mark.parametrize(
    ("severity", "percent", "people"),
    [
        (Severity.CRITICAL, 50, 2),
        (Severity.CRITICAL, 49, 1),
        (Severity.HIGH, 100, 3),
        (Severity.LOW, 100, 1),
    ],
)
def test_the_strictest_quorum_that_applies_counts(
    own_folder: Path, severity: Severity, percent: int, people: int
) -> None:
    row = '[[quorum]]\napprovers = 3\nseverities = ["high"]\nmin_blast_percent = 90'
    path = own_folder / "autonomy.toml"
    path.write_text(path.read_text().replace("# The role that", f"{row}\n# The role that", 1))

    assert _autonomy(own_folder, "").approvers(severity, percent) == people


@pytest.mark.parametrize(
    "text",
    [
        '[[levels]]\nlevel = "propose"',
        '[[levels]]\nservice = "a"\nlevel = "everything"',
        '[[freezes]]\nname = "n"\nbegins = 2026-12-20T00:00:00Z\nends = 2026-12-19T00:00:00Z',
        '[[freezes]]\nname = "n"\nbegins = 2026-12-20T00:00:00\nends = 2026-12-21T00:00:00',
        "[surprises]\na = 1",
    ],
)
def test_wrong_autonomy_is_refused_with_the_folder(own_folder: Path, text: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(str(own_folder))):
        _autonomy(own_folder, text)


def wrong(tmp_path: Path, file: str, text: bytes) -> str:
    """What is said when one file of the settings folder says something wrong."""
    folder = tmp_path / "settings"
    shutil.copytree(ROOT / "settings", folder)
    (folder / file).write_bytes(text)
    with pytest.raises(Misconfigured) as told:
        load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": "us-east-1", "CLOUDOPS_SETTINGS": str(folder)}, ROOT)
    said = str(told.value)
    assert said.startswith(str(folder / file)) and "\n" not in said
    return said


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "limits.toml",
            b"aproval_minutes = 3",
            "aproval_minutes: there is no such setting; did you mean approval_",
        ),
        ("limits.toml", b'approval_minutes = "thirty"', "approval_minutes: input should be a valid integer"),
        ("autonomy.toml", b'default = "act_on_everything"', "default: input should be 'observe', 'propose'"),
        ("autonomy.toml", b"[broken", "is not valid TOML"),
        ("redaction.toml", b"\xff\xfe", "is not UTF-8, as TOML has to be: byte 0"),
        (
            "models.toml",
            b'[aws.tiers]\nsmall = "m"\n[roles]\ntriage = "hugee"',
            "the role triage has the tier hugee",
        ),
        (
            "models.toml",
            b'[aws.tiers]\nsmall = "m"\n[roles]\ntriag = "small"',
            "no model plays the role triag; it is one of communicator, critic, remediation, triage",
        ),
        (
            "models.toml",
            b'[aws.tiers]\nsmall = "m"\n[larger]\nroles = ["critik"]',
            "no model plays the role critik; it is one of",
        ),
    ],
)
def test_what_is_wrong_is_told_by_file_place_and_remedy(
    tmp_path: Path, file: str, text: bytes, said: str
) -> None:
    assert said in wrong(tmp_path, file, text)


def test_a_settings_file_that_is_a_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    shutil.copytree(ROOT / "settings", folder)
    (folder / "access.toml").unlink()
    (folder / "access.toml").mkdir()
    with pytest.raises(Misconfigured, match=r"access\.toml cannot be read: Is a directory"):
        load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": "us-east-1", "CLOUDOPS_SETTINGS": str(folder)}, ROOT)
