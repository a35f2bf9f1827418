"""What others on the machine can see and reach of a search: no secret, no folder, no port."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Driver, Terminal, family_of

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]

STUDY = """
set: {train.num_epochs: 30000, train.optim.lr_steps: [1, 2]}
sampler: random
max_concurrent: 1
trials: 1
script: {epoch_s: 0.1}
"""
#: Credentials that a user's environment may hold, beside those that Ray forwards by name.
CREDENTIALS = (
    *("HF_TOKEN", "NGC_API_KEY", "WANDB_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"),
    *("AZURE_STORAGE_KEY", "PGPASSWORD", "SSH_AUTH_SOCK"),
)
#: Where Ray's folder is if the name of the temporary folder is too long for its sockets.
TEMPORARY = Path("/tmp")  # noqa: S108
LISTENING = "0A"
LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")


def forwarded() -> set[str]:
    """Every name that this version of Ray Tune forwards by itself, read in a fresh process."""
    code = "from ray.tune.execution.class_cache import *; print(*ENV_VARS_TO_PROPAGATE)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=90
    )
    return set(done.stdout.split())


class Watched(Terminal):
    """A terminal whose environment is full of secrets, with a temporary folder of its own."""

    secrets: dict[str, str]

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def environment(self) -> dict[str, str]:
        self.temporary.mkdir(exist_ok=True)
        return super().environment() | self.secrets | {"TMPDIR": str(self.temporary)}

    def leaks(self, folders: list[Path]) -> dict[str, Path]:
        """Which secret stands in which file."""
        found = {}
        for path in (each for folder in folders for each in folder.rglob("*")):
            content = _content(path)
            for name, secret in self.secrets.items():
                if secret.encode() in content or secret.encode() in os.fsencode(path):
                    found[name] = path
        return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""  # Ray has just replaced or deleted it


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    watched = Watched(tmp_path_factory.mktemp("watched"))
    names = sorted(forwarded())
    assert "AWS_SECRET_ACCESS_KEY" in names
    # A number, so that Ray can read those that are numbers.
    watched.secrets = {name: str(987_654_321_000 + i) for i, name in enumerate(names)}
    watched.secrets |= {name: f"c4n4ry-of-{name}" for name in CREDENTIALS}
    yield watched
    watched.close()


@pytest.fixture(scope="module")
def driver(terminal: Watched) -> Iterator[Driver]:
    """A search that has begun its one trial and goes on until the tests have seen it."""
    driver = terminal.start("run", terminal.study_file(STUDY), "--name", "mine", "--policy", "on")
    driver.wait_for(" epoch ")
    yield driver
    driver.terminate()
    driver.wait()


@pytest.fixture(scope="module")
def session(driver: Driver) -> Path:
    """The folder of the driver's Ray."""
    (folder,) = TEMPORARY.glob(f"automl-ray-{driver.pid}-*")
    return folder


def listening(pids: set[int]) -> dict[int, str]:
    """The ports that processes listen on, each with the address, as the kernel writes it."""
    inodes = set()
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            match = re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink()))
            inodes |= {match[1]} if match else set()
    ports = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTENING and words[9] in inodes:
                address, port = words[1].rsplit(":", 1)
                ports[int(port, 16)] = address
    return ports


def seen_of(driver: Driver) -> set[int]:
    """The driver and all that it has started, as far as they are still there."""
    return {pid for pid in family_of(driver.pid) if Path(f"/proc/{pid}/fd").exists()}


def test_the_folder_of_ray_is_closed_to_others(session: Path) -> None:
    assert stat.S_IMODE(session.lstat().st_mode) == 0o700
    assert session.stat().st_uid == os.getuid()
    sockets = [path for path in session.rglob("*") if path.is_socket()]
    assert sockets
    assert max(len(os.fsencode(path)) for path in sockets) <= 107


def test_every_port_is_on_the_loopback_address(driver: Driver) -> None:
    ports = listening(seen_of(driver))
    assert len(ports) >= 3, "the ports of Ray were not found"
    assert set(ports.values()) <= set(LOOPBACK), ports


@pytest.mark.parametrize("token", ["", "0" * 64], ids=["none", "wrong"])
def test_who_lacks_the_token_is_refused(driver: Driver, token: str) -> None:
    words = b"\0".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in seen_of(driver))
    (address,) = set(re.findall(rb"--gcs-address=(127\.0\.0\.1:\d+)", words))
    code = (
        "import sys; from ray._raylet import GcsClient\n"
        "GcsClient(address=sys.argv[1]).get_all_job_info(timeout=10)"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    if token:
        environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
    done = subprocess.run(
        [sys.executable, "-c", code, address.decode()],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=90,
    )
    assert done.returncode != 0
    assert "InvalidAuthToken" in done.stderr


def test_no_secret_is_written_down(terminal: Watched, driver: Driver, session: Path) -> None:
    places = [session, terminal.temporary, terminal.studies]
    assert terminal.leaks(places) == {}
    words = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in seen_of(driver)]
    assert not [n for n, secret in terminal.secrets.items() if secret.encode() in b"".join(words)]


def test_no_secret_is_left_when_a_search_has_ended(terminal: Watched) -> None:
    file = terminal.study_file(STUDY.replace("30000", "3"), "short.yaml")
    driver = terminal.start("run", file, "--name", "short", "--policy", "on")
    done = driver.wait()
    assert done.code == 0, done.err
    assert terminal.leaks([terminal.folder]) == {}
    assert not list(TEMPORARY.glob(f"automl-ray-{driver.pid}-*"))
