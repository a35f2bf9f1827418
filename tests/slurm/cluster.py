"""A private Slurm of one node on loopback: its two daemons, started and ended by their own pids.

``python -m tests.slurm.cluster FOLDER`` starts one by hand and says its ``SLURM_CONF``.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["PrivateSlurm", "why_not"]

_PROGRAMS = ("slurmctld", "slurmd", "sbatch", "scontrol", "munged")
_UP_S = 60.0
_CONFIGURATION = """\
ClusterName=automl
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
JobRequeue=1
KillWait=30
SchedulerParameters=bf_interval=2,sched_interval=2
MinJobAge=300
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Why no Slurm can run here; empty if one can."""
    if os.getuid() != 0:
        return "Slurm's daemons must be started by root"
    missing = [program for program in _PROGRAMS if _found(program) is None]
    return f"no {', '.join(missing)} here; apt-get install slurm-wlm" if missing else ""


def _found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/bin")


@dataclass(slots=True)
class PrivateSlurm:
    """A Slurm.

    Attributes:
        folder: Where its state is; made here.
    """

    folder: Path
    _munge: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def configuration(self) -> Path:
        """What ``SLURM_CONF`` names."""
        return self.folder / "slurm.conf"

    def start(self) -> None:
        """Starts it, and waits until its node is idle."""
        for name in ("", "state", "spool"):
            (self.folder / name).mkdir()
        self._start_munge()
        text = _CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0],
            folder=self.folder,
            ports=_free_ports(),
            cpus=os.cpu_count(),
        )
        self.configuration.write_text(text)
        for daemon in ("slurmctld", "slurmd"):
            self.run(daemon)
        waited = time.monotonic()
        while "idle" not in self.run("sinfo", "-h", "-o", "%T"):
            if time.monotonic() - waited > _UP_S:
                raise RuntimeError(f"no node is idle; see {self.folder}/slurmd.log")
            time.sleep(0.5)

    def _start_munge(self) -> None:
        """A daemon of our own, with a key of our own, beside one that the machine may have."""
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        named = {name: self.folder / f"munge.{name}" for name in ("socket", "pid", "log", "seed")}
        program = _found("munged")
        assert program is not None
        self._munge = subprocess.Popen(
            [
                program, "--foreground", "--force", f"--key-file={key}",
                f"--socket={named['socket']}", f"--pid-file={named['pid']}",
                f"--log-file={named['log']}", f"--seed-file={named['seed']}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        waited = time.monotonic()
        while not named["socket"].exists():
            if self._munge.poll() is not None or time.monotonic() - waited > _UP_S:
                raise RuntimeError(f"munged did not start; see {named['log']}")
            time.sleep(0.1)

    def run(self, program: str, *arguments: str, script: str | None = None) -> str:
        """What one of Slurm's programs prints."""
        found = _found(program)
        assert found is not None
        return subprocess.run(
            [found, *arguments],
            input=script,
            stdin=subprocess.DEVNULL if script is None else None,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"SLURM_CONF": str(self.configuration)},
        ).stdout

    def stop(self) -> None:
        """Ends its jobs and its daemons."""
        with suppress(subprocess.CalledProcessError):
            self.run("scancel", "--state=RUNNING", "--state=PENDING", "--user=root")
        for name in ("slurmctld", "slurmd"):
            file = self.folder / f"{name}.pid"
            with suppress(OSError, ValueError):
                os.kill(int(file.read_text()), signal.SIGTERM)
        if self._munge is not None:
            self._munge.terminate()
            self._munge.wait()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return int(first.getsockname()[1]), int(second.getsockname()[1])


if __name__ == "__main__":
    started = PrivateSlurm(Path(sys.argv[1]).resolve())
    started.start()
    print(f"export SLURM_CONF={started.configuration}")  # noqa: T201
    signal.pause()
