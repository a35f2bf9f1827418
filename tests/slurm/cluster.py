"""A private Slurm on this machine: its daemons, started and ended by their own pids.

``python -m tests.slurm.cluster FOLDER`` starts one by hand and says its ``SLURM_CONF``.
"""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.apt import program, why_not_here
from tests.e2e.other_host import OtherHost

__all__ = ["ALLOW", "PrivateSlurm", "why_no_control_groups", "why_not"]

#: Set to 1 where the tests may install Slurm through apt, to 0 where they must not run one, to 2
#: where they may install one and a machine on which none runs is a failure.
ALLOW = "AUTOML_TEST_SLURM"

_PROGRAMS = ("slurmctld", "slurmd", "sbatch", "scontrol", "munged")
_UP_S = 60.0
_DOWN_S = 15.0
#: GPUs that each node pretends to have; a device that takes what is written and gives nothing.
N_GPUS = 2
_NULL = (1, 3)
_NVIDIA = 195
_CONFIGURATION = """\
ClusterName=automl
SlurmctldHost={host}({here})
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
MpiDefault=none
ProctrackType=proctrack/{tracks}
TaskPlugin=task/{binds}
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters={counts}
GresTypes=gpu
ReturnToService=2
JobRequeue=1
KillWait=30
SchedulerParameters=bf_interval=2,sched_interval=2
MinJobAge=300
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
_NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr={address} Port={port} CPUs={cpus} "
    "RealMemory={memory} Gres=gpu:{gpus} State=UNKNOWN"
)
#: Of control groups of version 1, which Slurm uses without systemd's help.
_CONTROLLERS = ("cpuset", "devices", "freezer", "memory")
_GROUPS = Path("/sys/fs/cgroup")
_CONSTRAINS = """\
CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
ConstrainCores=yes
ConstrainDevices=yes
ConstrainRAMSpace=yes
"""
#: What each node says of its memory, in MB; a real one only where jobs are held to their part.
_MEMORY = {False: 1000, True: 4000}
_UNBOUND = {"tracks": "linuxproc", "binds": "none", "counts": "CR_Core"}
_BOUND = {"tracks": "cgroup", "binds": "cgroup", "counts": "CR_Core_Memory"}


def why_no_control_groups() -> str:
    """Why jobs of a Slurm cannot be held to what they were given here; empty if they can."""
    absent = [name for name in _CONTROLLERS if not (_GROUPS / name / "tasks").exists()]
    if absent:
        return f"no control groups of version 1 for {', '.join(absent)}"
    return "" if os.access(_GROUPS / "devices", os.W_OK) else "control groups are read-only"


def why_not() -> str:
    """Why no Slurm can run here; empty if one can. Installs it where that is allowed."""
    return why_not_here(_PROGRAMS, ["slurm-wlm"], ALLOW)


@dataclass(slots=True)
class PrivateSlurm:
    """A Slurm.

    Attributes:
        folder: Where its state is; made here.
        hosts: Of its nodes, ``n1`` first; None stands for this machine.
        binds: Whether its jobs are held to their CPUs, memory and GPUs by control groups.
    """

    folder: Path
    hosts: Sequence[OtherHost | None] = (None,)
    binds: bool = False
    _munge: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def configuration(self) -> Path:
        """What ``SLURM_CONF`` names."""
        return self.folder / "slurm.conf"

    @property
    def gpus(self) -> list[Path]:
        """The device files of its GPUs."""
        return [self.folder / f"gpu{index}" for index in range(N_GPUS)]

    def start(self) -> None:
        """Starts it, and waits until its nodes are idle."""
        for name in ("", "state"):
            (self.folder / name).mkdir()
        self._start_munge()
        self._configure()
        self.run("slurmctld")
        for position, host in enumerate(self.hosts):
            (self.folder / f"spool.n{position + 1}").mkdir()
            self.run("slurmd", "-N", f"n{position + 1}", host=host)
        waited = time.monotonic()
        while self.run("sinfo", "-h", "-N", "-o", "%T").split() != ["idle"] * len(self.hosts):
            if time.monotonic() - waited > _UP_S:
                raise RuntimeError(f"not every node is idle; see {self.folder}/slurmd.*.log")
            time.sleep(0.5)

    def _configure(self) -> None:
        host = socket.gethostname().partition(".")[0]
        ports = _free_ports(1 + len(self.hosts))
        others = [other for other in self.hosts if other is not None]
        nodes = [
            _NODE.format(
                name=f"n{position + 1}",
                host=host,
                address="127.0.0.1" if other is None else other.address,
                port=ports[1 + position],
                cpus=os.cpu_count(),
                gpus=N_GPUS,
                memory=_MEMORY[self.binds],
            )
            for position, other in enumerate(self.hosts)
        ]
        text = _CONFIGURATION.format(
            host=host,
            here=others[0].near if others else "127.0.0.1",
            folder=self.folder,
            port=ports[0],
            nodes="\n".join(nodes),
            **(_BOUND if self.binds else _UNBOUND),
        )
        self.configuration.write_text(text)
        if self.binds:
            (self.folder / "cgroup.conf").write_text(_CONSTRAINS)
        for index, gpu in enumerate(self.gpus):
            # Numbers of NVIDIA's own where a job is held to its GPUs: others need the null device.
            number = (_NVIDIA, index) if self.binds else _NULL
            os.mknod(gpu, stat.S_IFCHR | 0o666, os.makedev(*number))
        named = f"{self.folder}/gpu[0-{N_GPUS - 1}]"
        (self.folder / "gres.conf").write_text(f"Name=gpu File={named}\n")

    def _start_munge(self) -> None:
        """A daemon of our own, with a key of our own, beside one that the machine may have."""
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        named = {name: self.folder / f"munge.{name}" for name in ("socket", "pid", "log", "seed")}
        munged = program("munged")
        assert munged is not None
        self._munge = subprocess.Popen(
            [
                munged, "--foreground", "--force", f"--key-file={key}",
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

    def run(
        self,
        name: str,
        *arguments: str,
        script: str | None = None,
        host: OtherHost | None = None,
    ) -> str:
        """What one of Slurm's programs prints.

        Args:
            name: The program.
            arguments: Its arguments.
            script: What it reads.
            host: Where it runs; None for this machine.
        """
        found = program(name)
        assert found is not None
        there = [] if host is None else host.command([])
        return subprocess.run(
            [*there, found, *arguments],
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
            waited = time.monotonic()
            while self.run("squeue", "-h") and time.monotonic() - waited < _DOWN_S:
                time.sleep(0.2)
        for file in self.folder.glob("slurm*.pid"):
            with suppress(OSError, ValueError):
                os.kill(int(file.read_text()), signal.SIGTERM)
        if self._munge is not None:
            self._munge.terminate()
            self._munge.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


if __name__ == "__main__":
    started = PrivateSlurm(Path(sys.argv[1]).resolve())
    started.start()
    print(f"export SLURM_CONF={started.configuration}")  # noqa: T201
    signal.pause()
