"""A private PostgreSQL server: started, stopped and ended by its own programs, as another user.

Its state lies in one folder, and it answers on a port of 127.0.0.1 of its own.
"""

import os
import pwd
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["PASSWORD", "PrivateServer", "why_not"]

USER = "automl"
PASSWORD = "sesame"  # noqa: S105 -- of a server that the tests start for themselves
#: Whom root becomes: the server refuses to run as root.
_OTHER_USER = "nobody"
_UP_S = 60


def _programs() -> Path | None:
    """The folder of the server's programs; Debian keeps it off the path."""
    on_path = shutil.which("pg_ctl")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return found[-1].parent if found else None


def why_not() -> str:
    """Why no server can run here; empty where its programs are, which must then work."""
    return "" if _programs() is not None else "no PostgreSQL here; apt-get install postgresql"


@dataclass(slots=True)
class PrivateServer:
    """A server.

    Attributes:
        folder: Where its state is; made here, and given to the user that it runs as.
        port: Where it answers.
    """

    folder: Path
    port: int = field(init=False)

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.folder.mkdir(mode=0o755)
        word = self.folder / "password"
        word.write_text(PASSWORD)
        for path in (self.folder, word):
            if self._user is not None:
                shutil.chown(path, self._user)
        self._run(
            "initdb", "-D", str(self._data), "-U", USER, f"--pwfile={word}",
            "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C",
        )  # fmt: skip

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _user(self) -> str | None:
        return _OTHER_USER if os.getuid() == 0 else None

    def url(self, database: str = "postgres") -> str:
        """The address of a database, without a password."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -F"
        log = str(self.folder / "log")
        self._run(
            "pg_ctl", "-D", str(self._data), "-l", log, "-o", options, "-w", "-t", str(_UP_S),
            "start",
        )  # fmt: skip

    def stop(self) -> None:
        """Stops it at once; connections are lost."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        programs = _programs()
        assert programs is not None
        done = subprocess.run(
            [str(programs / program), *arguments],
            cwd="/",
            env={"PATH": str(programs), "HOME": _home(self._user), "LC_ALL": "C"},
            user=self._user,
            group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr}")


def _home(user: str | None) -> str:
    return str(Path.home()) if user is None else pwd.getpwnam(user).pw_dir
