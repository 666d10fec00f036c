"""Who is proven by what a door is told, and which settings about people are refused."""

from pathlib import Path

import pytest

from graphs.people import Person, Subject, behind_arn, person_of
from graphs.settings import AccessSettings, World, load
from memory.records.scope import COPILOT, STS, Identity, Principal, PrincipalKind, people_in
from tests.simulated import ROOT
from tools.errors import Misconfigured

ACCOUNT = "111122223333"
APPROVERS = f"arn:aws:sts::{ACCOUNT}:assumed-role/cloudops-approver"
CENTER = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Lead_0123456789abcdef"
NAMED = (f"{APPROVERS}/*",)


def person(arn: str, named: tuple[str, ...] = ()) -> Principal:
    return Principal(kind=PrincipalKind.ROLE, id=arn, issuer=STS, person=behind_arn(arn, named))


def subject(name: str, issuer: str = "https://idp.example") -> Principal:
    return Principal(kind=PrincipalKind.PERSON, id=name, issuer=issuer)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (person(f"{APPROVERS}/ada"), person(f"{APPROVERS}/ada-2")),
        (person(f"{APPROVERS}/ada"), person(f"{APPROVERS.replace('approver', 'lead')}/bob")),
        (person(f"{APPROVERS}/ada"), person(f"{APPROVERS.replace(ACCOUNT, '999922223333')}/bob")),
        (person(f"{APPROVERS}/ada"), person(f"arn:aws:iam::{ACCOUNT}:user/bob")),
        (person(f"arn:aws:iam::{ACCOUNT}:user/ada"), person(f"arn:aws:iam::{ACCOUNT}:root")),
        (person(f"arn:aws:iam::{ACCOUNT}:user/ada"), person("arn:aws:iam::999922223333:user/bob")),
        (
            person(f"arn:aws:sts::{ACCOUNT}:federated-user/a"),
            person(f"arn:aws:sts::{ACCOUNT}:federated-user/b"),
        ),
        (person(f"{CENTER}/ada"), person(f"{CENTER.replace('Lead', 'Glass')}/ADA")),
        # Not as Identity Center names its roles.
        (person(f"{CENTER[:-1]}/ada"), person(f"{CENTER[:-1]}/bob")),
        (person(f"{CENTER}/ada"), subject("bob")),
        (person(f"{APPROVERS}/ada", NAMED), person(f"{CENTER}/bob", NAMED)),
        (person(f"{APPROVERS}/ada", NAMED), person(f"{APPROVERS}/Ada", NAMED)),
        (subject("ada"), subject("bob", "https://another.example")),
        # A decision of an earlier version says no more than the caller's ARN.
        (
            Principal(kind=PrincipalKind.ROLE, id=f"{APPROVERS}/ada", issuer=STS),
            person(f"{APPROVERS}/bob", NAMED),
        ),
        (
            Principal(kind=PrincipalKind.ROLE, id=f"{APPROVERS}/ada", issuer=STS),
            Principal(kind=PrincipalKind.ROLE, id=f"{APPROVERS}/bob", issuer=STS),
        ),
    ],
)
def test_who_cannot_be_told_apart_counts_as_one(one: Principal, other: Principal) -> None:
    assert not one.is_surely_another(other) and not other.is_surely_another(one)
    assert people_in((one, other)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (person(f"arn:aws:iam::{ACCOUNT}:user/ada"), person(f"arn:aws:iam::{ACCOUNT}:user/team/bob")),
        (person(f"{CENTER}/ada"), person(f"{CENTER.replace(ACCOUNT, '999922223333')}/bob")),
        (person(f"{APPROVERS}/ada", NAMED), person(f"{APPROVERS}/bob", NAMED)),
        (subject("ada"), subject("bob")),
    ],
)
def test_two_names_of_one_directory_are_two_people(one: Principal, other: Principal) -> None:
    assert one.is_surely_another(other) and people_in((one, other, one)) == 2
    assert one.is_surely_another(COPILOT) and not COPILOT.is_surely_another(COPILOT)


def test_a_person_is_one_whichever_door_names_them() -> None:
    ada = Person(
        name="Ada",
        arns=(f"arn:aws:iam::{ACCOUNT}:role/people/ada", f"{CENTER}/ada@example.com"),
        subjects=(Subject(issuer="https://idp.example", subject="8f0c"),),
    )
    told = (
        behind_arn(f"arn:aws:sts::{ACCOUNT}:assumed-role/ada/anything", ()),
        behind_arn(f"{CENTER.replace('Lead', 'Glass')}/ada@example.com", ()),
        Identity(directory="https://idp.example", name="8f0c"),
    )
    assert {person_of(one, (ada,), ()) for one in told} == {Identity(directory="people", name="Ada")}
    stranger = Identity(directory="https://another.example", name="8f0c")
    assert person_of(stranger, (ada,), ()) == stranger


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (f'named_sessions = ["arn:aws:sts::{ACCOUNT}:assumed-role/*"]', "not of the form"),
        ('named_sessions = ["*"]', "not of the form"),
        (f'[[people]]\nname = "ada"\narns = ["{APPROVERS}/ada"]', "chooses the session's name"),
        ('[[people]]\nname = "ada"\narns = ["ada"]', "is no ARN"),
        ('[[people]]\nname = "ada"\n[[people]]\nname = "ADA"', "two of the people"),
        (
            f'[[people]]\nname = "a"\narns = ["{CENTER}/x"]\n[[people]]\nname = "b"\narns = ["{CENTER}/X"]',
            "x is a and b",
        ),
    ],
)
def test_settings_that_make_one_person_two_are_refused(tmp_path: Path, said: str, why: str) -> None:
    for file in (ROOT / "settings").iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "access.toml").write_text(said)
    env = {"CLOUDOPS_SETTINGS": str(tmp_path), "CLOUDOPS_WORLD": "aws", "AWS_REGION": "us-east-1"}

    with pytest.raises(Misconfigured, match=r"access\.toml is wrong") as refused:
        load(env, ROOT, World.AWS)
    assert why in str(refused.value)


def test_the_people_of_the_settings_as_they_come_are_nobody() -> None:
    access = load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": "us-east-1"}, ROOT, World.AWS).access
    assert (access.people, access.named_sessions) == ((), ())
    assert AccessSettings(named_sessions=NAMED).named_sessions == NAMED
