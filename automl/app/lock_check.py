"""Whether the locks of a folder's file system hold between processes, tried by two of them.

A study's journal and its driver stand on ``flock``. Some network mounts have no locks, and some
grant one lock to everybody who asks.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from automl.errors import PrepareMachine
from automl.filelock import try_lock

__all__ = ["ALTERNATIVES", "NETWORK_FILE_SYSTEMS", "check_locks", "file_system", "lock_problem"]

NETWORK_FILE_SYSTEMS = (
    *("nfs", "cifs", "smb", "lustre", "beegfs", "gpfs", "ceph"),
    *("fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse"),
)
ALTERNATIVES = (
    "mount it with locks (NFS version 4, without nolock or local_lock), keep studies on another "
    "file system, or keep the trials in a database (--storage) and studies on this machine's disk"
)
_MOUNTS = Path("/proc/self/mounts")
_TIMEOUT_S = 30.0
_HELD, _GRANTED = 10, 11
#: What the second process does: it asks for a lock that the first one holds.
_ASKS = f"""
import fcntl, sys
try:
    fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit({_HELD})
sys.exit({_GRANTED})
"""


def check_locks(folder: Path) -> None:
    """Makes sure that a study can be kept in a folder of a network's file system.

    Args:
        folder: Where studies are, or will be; the nearest folder above that exists is tried.

    Raises:
        PrepareMachine: Its locks do not hold.
    """
    above = next(each for each in (folder, *folder.parents) if each.exists())
    kind = file_system(above)
    problem = lock_problem(above) if kind.lower().startswith(NETWORK_FILE_SYSTEMS) else ""
    if problem:
        raise PrepareMachine(
            "the locks of the studies' folder must hold between processes",
            got=f"{problem} ({kind})",
            where=str(above),
            fix=ALTERNATIVES,
        )


def lock_problem(folder: Path) -> str:
    """What is wrong with the locks of a folder that can be written to; empty if they hold."""
    with tempfile.TemporaryDirectory(prefix=".locks.", dir=folder) as inside:
        path = Path(inside) / "lock"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            if not try_lock(file, path):
                return "a lock that nobody holds was refused"
            asked = subprocess.run(
                [sys.executable, "-S", "-c", _ASKS, str(path)],
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except PrepareMachine as error:
            return f"it has no locks: {error.got}"
        except subprocess.TimeoutExpired:
            return f"a lock was not answered within {_TIMEOUT_S:.0f} s"
        finally:
            os.close(file)
    return "" if asked.returncode == _HELD else "two processes were given one lock"


def file_system(folder: Path) -> str:
    """Kind of the file system that a folder is on; empty if the system does not say."""
    try:
        rows = [line.split() for line in _MOUNTS.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return ""
    real = folder.resolve()
    fitting = [(row[1], row[2]) for row in rows if len(row) > 2 and real.is_relative_to(row[1])]
    return max(fitting, key=lambda pair: len(pair[0]), default=("", ""))[1]
