"""Programs that tests need and that Debian's own packages bring, where installing is allowed."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["missing_programs", "program", "why_not_here"]

_INSTALL_S = 150.0
#: A server that does not answer is given up at once: without the programs tests are skipped.
_APT = (
    *("-o", "DPkg::Lock::Timeout=60", "-o", "Acquire::Retries=0"),
    *("-o", "Acquire::http::Timeout=8", "-o", "Acquire::https::Timeout=8"),
)


def program(name: str) -> str | None:
    """Where a program is; those of the administrator are looked at too."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def missing_programs(names: Sequence[str]) -> list[str]:
    """Those that are not here."""
    return [name for name in names if program(name) is None]


def why_not_here(names: Sequence[str], packages: Sequence[str], variable: str) -> str:
    """Why programs that only root can run cannot be had; empty if they are here.

    Args:
        names: The programs.
        packages: Debian's packages that bring them.
        variable: Of the environment: 1 or 2 lets this install them, 0 says to do without.
    """
    asked = os.environ.get(variable, "")
    if asked == "0":
        return f"{variable} is 0"
    if os.getuid() != 0:
        return f"{names[0]} must be started by root"
    may_install = asked in ("1", "2")
    if missing_programs(names) and may_install:
        _install(packages)
    missing = missing_programs(names)
    if not missing:
        return ""
    what = " ".join(packages)
    hope = f"apt gave no {what}" if may_install else f"{variable}=1 lets the tests install {what}"
    return f"no {', '.join(missing)} here; {hope}"


def _install(packages: Sequence[str]) -> None:
    """A failure shows as the programs that are then still missing."""
    if shutil.which("apt-get") is None:
        return
    deadline = time.monotonic() + _INSTALL_S
    for words in (("update",), ("install", "-y", "--no-install-recommends", *packages)):
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                ["apt-get", *_APT, *words],
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=max(1.0, deadline - time.monotonic()),
                check=False,
            )
