"""How real services are had for tests, and what is said where they cannot be had."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.dynamodb import DIGESTS, TamperedError, check
from tests.simulated import ROOT


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_without_java_and_maven_it_says_how_to_get_them_and_fails_in_ci(
    tmp_path: Path, ci: str, code: int
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CLOUDOPS_TEST_DYNAMODB"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.services"],
        cwd=ROOT,
        env={**environment, "PATH": str(tmp_path), "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "apt-get install openjdk-17-jre-headless maven" in done.stderr
    assert "Maven (mvn), Java" in done.stderr


def test_a_file_that_is_changed_missing_or_added_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.jar").write_bytes(b"a")
    digests = f"{hashlib.sha256(b'a').hexdigest()}  a.jar\n"
    check(tmp_path, digests)
    for change in (
        lambda: (tmp_path / "a.jar").write_bytes(b"b"),
        lambda: (tmp_path / "b.jar").write_bytes(b""),
    ):
        change()
        with pytest.raises(TamperedError, match=r"\.jar"):
            check(tmp_path, digests)
    with pytest.raises(TamperedError, match=r"b\.jar"):
        check(tmp_path, f"{digests}{'0' * 64}  c.jar\n")


def test_the_digest_of_dynamodb_local_is_the_published_one() -> None:
    published = "b4f7a25791c7426eedd7917731fc8fafcc73955cbfe1d4d37d28fc1d5432d445"
    assert f"{published}  DynamoDBLocal-3.0.0.jar" in DIGESTS.read_text()
