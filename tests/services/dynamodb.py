"""A real DynamoDB Local: fetched with Maven, checked file by file, run with Java on this machine."""

import hashlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parent.parent / ".cloudops" / "services" / "dynamodb"
DIGESTS = HERE / "dynamodb.sha256"
JAVA = 17
FETCH_SECONDS, READY_SECONDS = 600, 60
NEEDED = f"""DynamoDB Local needs Java {JAVA} or newer and Maven, which are not here: {{missing}}.
  Debian, Ubuntu: apt-get install openjdk-{JAVA}-jre-headless maven
  macOS:          brew install openjdk maven
Or name a DynamoDB that runs: CLOUDOPS_TEST_DYNAMODB=http://127.0.0.1:8000 make test-services"""


class UnavailableError(Exception):
    """What is needed to run the service is not on this machine."""


class TamperedError(Exception):
    """What was fetched is not what it is to be."""


def missing() -> list[str]:
    """Say what this machine lacks."""
    lacking = [] if shutil.which("mvn") else ["Maven (mvn)"]
    version = java_version()
    if version is None:
        lacking.append("Java")
    elif version < JAVA:
        lacking.append(f"Java {JAVA} (this is {version})")
    return lacking


def java_version() -> int | None:
    """Return the major version of the Java on the path."""
    if shutil.which("java") is None:
        return None
    done = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(found[1]) if found else None


def fetched(folder: Path = FOLDER) -> Path:
    """Return the folder of the service's files, fetched where they are missing and checked each time."""
    if lacking := missing():
        raise UnavailableError(NEEDED.format(missing=", ".join(lacking)))
    if not (folder / "DynamoDBLocal-3.0.0.jar").exists():
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        subprocess.run([*command, f"-DoutputDirectory={folder}"], check=True, timeout=FETCH_SECONDS)
    check(folder, DIGESTS.read_text(encoding="utf-8"))
    return folder


def check(folder: Path, digests: str) -> None:
    """Raise `TamperedError` unless the folder holds just the files that the digests name, unchanged."""
    wanted = {name: digest for digest, name in (line.split() for line in digests.splitlines())}
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    if there != wanted:
        wrong = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
        raise TamperedError(
            f"not what dynamodb.sha256 says: {', '.join(wrong)}; remove {folder} to fetch anew"
        )


@contextmanager
def started() -> Iterator[str]:
    """Run the service on a free port and yield its address; it ends with the block.

    It has no option for the address that it listens on, and takes all of this machine's.
    """
    folder, port = fetched(), free_port()
    command = ["java", f"-Dsqlite4java.library.path={folder}", "-cp", f"{folder}/*"]
    command += ["software.amazon.dynamodb.services.local.main.ServerRunner", "-inMemory", "-disableTelemetry"]
    with subprocess.Popen([*command, "-port", str(port)], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the service takes connections."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"DynamoDB Local ended at once, with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"DynamoDB Local takes no connection after {READY_SECONDS} s")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
