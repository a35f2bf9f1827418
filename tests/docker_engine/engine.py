"""A private Docker engine: installed if allowed, started, restarted and ended by its own pid.

``python -m tests.docker_engine.engine FOLDER`` starts one by hand and says its ``DOCKER_HOST``;
Ctrl-C ends it.

Its state lies in one folder and it has no network of its own: no bridge, no firewall rule. It runs
with live-restore, so that its containers outlive it.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import docker

from tests.apt import why_not_here

__all__ = ["ALLOW", "PrivateEngine", "why_not"]

#: Set to 1 where the tests may install an engine through apt, to 0 where they must not run one, to
#: 2 where they may install one and a machine on which none runs is a failure.
ALLOW = "AUTOML_TEST_DOCKER"

_PROGRAMS = ("dockerd", "containerd", "runc", "docker-init")
_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
_UP_S = 40.0
_DOWN_S = 30.0


def why_not() -> str:
    """Why no engine can run here; empty if one can. Installs it where that is allowed."""
    return why_not_here(_PROGRAMS, ["docker.io"], ALLOW)


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass
class PrivateEngine:
    """One engine and its state.

    Attributes:
        folder: Where all of its state goes; its path must be short, for the socket's sake.
        tcp_port: Port of 127.0.0.1 on which it listens as well; 0 for none.
    """

    folder: Path
    tcp_port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _client: docker.DockerClient | None = field(default=None, init=False)

    @property
    def host(self) -> str:
        """Its address, for ``DOCKER_HOST``."""
        return f"unix://{self.folder}/docker.sock"

    def client(self) -> docker.DockerClient:
        """The tests' own connection to it, closed when it is."""
        if self._client is None:
            self._client = docker.DockerClient(base_url=self.host, timeout=60)
        return self._client

    def start(self, *, path_first: Sequence[Path] = ()) -> None:
        """Starts it and returns when it answers.

        Args:
            path_first: Folders in which it looks for programs before anywhere else.

        Raises:
            RuntimeError: It does not come up; the message holds the end of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        _mount_controllers()
        (self.folder / "daemon.json").write_text("{}")
        path = os.pathsep.join([*map(str, path_first), _path()])
        with (self.folder / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"PATH": path},
                cwd="/",
                start_new_session=True,
            )
        deadline = time.monotonic() + _UP_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = (self.folder / "dockerd.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the Docker engine does not come up:\n{tail}")
            time.sleep(0.05)
        # Whoever runs a test as another user must reach it.
        self.folder.chmod(0o711)
        (self.folder / "docker.sock").chmod(0o666)

    def _command(self) -> list[str]:
        listens = ["--host", self.host]
        if self.tcp_port:
            listens += ["--host", f"tcp://127.0.0.1:{self.tcp_port}", "--tls=false"]
        state = {"data-root": "data", "exec-root": "exec", "pidfile": "dockerd.pid"}
        return [
            str(shutil.which("dockerd", path=_path())),
            *listens,
            *(f"--{name}={self.folder / place}" for name, place in state.items()),
            f"--config-file={self.folder / 'daemon.json'}",
            f"--storage-driver={self._storage()}",
            *("--live-restore", "--bridge=none", "--iptables=false", "--ip6tables=false"),
            *("--ip-forward=false", "--ip-masq=false", "--userland-proxy=false"),
            # Its own default is to be spared by the kernel, which takes a right that it may lack.
            *("--oom-score-adjust=0", "--exec-opt=native.cgroupdriver=cgroupfs"),
            f"--cgroup-parent=/{self.folder.name}",
        ]

    def _storage(self) -> str:
        """``overlay2`` where this file system can carry it, else plain copies."""
        places = [self.folder / "try" / name for name in ("lower", "upper", "work", "merged")]
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
        lower, upper, work, merged = places
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)]
        works = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        if works:
            subprocess.run(["umount", str(merged)], check=True)
        shutil.rmtree(self.folder / "try", ignore_errors=True)
        return "overlay2" if works else "vfs"

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
            asked.settimeout(5.0)
            try:
                asked.connect(f"{self.folder}/docker.sock")
                asked.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in asked.recv(64)
            except OSError:
                return False

    def halt(self, *, kill: bool = False) -> None:
        """Ends the engine alone; its containers go on."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            process.wait(_DOWN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if kill:
            self._forget_helper()
            (self.folder / "dockerd.pid").unlink(missing_ok=True)

    def _forget_helper(self) -> None:
        """Ends the containerd of an engine that was killed; not the shims of its containers.

        It may be a zombie that nobody waits for, which the next engine would take to be alive.
        """
        noted = self.folder / "exec" / "containerd" / "containerd.pid"
        if noted.exists():
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(noted.read_text()), signal.SIGKILL)
            noted.unlink()

    def restart(self, *, path_first: Sequence[Path] = ()) -> None:
        """Ends it and starts it again over the same state."""
        self.halt()
        self.start(path_first=path_first)

    def close(self) -> None:
        """Removes its containers, ends it, and deletes its state."""
        if self._answers():
            for container in self.client().containers.list(all=True, ignore_removed=True):
                container.remove(force=True, v=True)
        self.halt()
        if self._client is not None:
            self._client.close()
        self._end_helpers()
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted(each for each in mounts if each.startswith(f"{self.folder}/"))[::-1]:
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end_helpers(self) -> None:
        """Ends the containerd and the shims that an engine that was killed has left, by pid."""
        needle = f"{self.folder}/exec/".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                program = (entry / "exe").readlink()
                is_ours = needle in (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if is_ours and program.name.startswith("containerd"):
                os.kill(int(entry.name), signal.SIGKILL)


def _mount_controllers() -> None:
    """Mounts the control groups of version 1 where the machine has neither those nor version 2."""
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    if any(line[1] == "/sys/fs/cgroup" and line[2] == "cgroup2" for line in lines):
        return
    root = Path("/sys/fs/cgroup")
    if not any(line[1] == str(root) for line in lines):
        subprocess.run(["mount", "-t", "tmpfs", "cgroup", str(root)], check=False)
    mounted = {word for line in lines if line[2] == "cgroup" for word in line[3].split(",")}
    for name in _CONTROLLERS:
        if name not in mounted:
            (root / name).mkdir(exist_ok=True)
            command = ["mount", "-t", "cgroup", "-o", name, "cgroup", str(root / name)]
            subprocess.run(command, check=False)


def _by_hand(folder: Path) -> int:
    reason = why_not()
    if reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    engine = PrivateEngine(folder)
    engine.start()
    sys.stdout.write(f"DOCKER_HOST={engine.host}\n")
    sys.stdout.flush()
    try:
        signal.pause()
    except KeyboardInterrupt:
        engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(_by_hand(Path(sys.argv[1]).absolute()))
