"""A host of its own on this machine: a network namespace behind a pair of virtual cables."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.apt import missing_programs

__all__ = ["OtherHost", "other_host", "why_no_host"]

#: Networks for documentation (RFC 5737), of which no machine should have an address.
_NETWORKS = ("198.51.100", "203.0.113", "192.0.2")


@dataclass(frozen=True)
class OtherHost:
    """A host with its own network and, where folders are hidden from it, its own files.

    Attributes:
        name: Of its network namespace.
        near: This machine's address, as that host reaches it.
        address: Its own.
    """

    name: str
    near: str
    address: str

    def command(self, hidden: Sequence[Path]) -> list[str]:
        """The words before a command that runs there.

        Args:
            hidden: Folders in whose places the command has empty ones of its own.
        """
        script = 'while [ "$1" != -- ]; do mount -t tmpfs none "$1" || exit 1; shift; done\n'
        folders = [*map(str, hidden), "--"]
        apart = ["unshare", "--mount", "sh", "-c", f'{script}shift; exec "$@"', "sh", *folders]
        # Not "ip netns exec", which hides what is mounted below /sys.
        return ["nsenter", f"--net=/run/netns/{self.name}", "--", *apart]


def _ip(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def why_no_host() -> str:
    """Why there can be no such host here; empty where there can."""
    if os.geteuid() != 0:
        return "network namespaces are made by root"
    if missing := missing_programs(("ip", "nsenter", "unshare", "mount")):
        return f"no {', '.join(missing)} here (apt-get install iproute2)"
    name = f"automl-try-{os.getpid()}"
    made = _ip("netns", "add", name)
    linked = _ip("link", "add", f"at{os.getpid()}", "type", "veth", "peer", "name", "atp")
    _ip("link", "del", f"at{os.getpid()}")
    _ip("netns", "del", name)
    if made.returncode or linked.returncode:
        return f"no network namespaces here: {(made.stderr + linked.stderr).strip()}"
    return ""


@contextmanager
def other_host() -> Iterator[OtherHost]:
    """Makes a host; it and its cable are gone afterwards."""
    taken = _ip("-o", "address").stdout
    net = next(net for net in _NETWORKS if f"{net}." not in taken)
    host = OtherHost(f"automl-{os.getpid()}", f"{net}.1", f"{net}.2")
    near, far = f"an{os.getpid()}", f"af{os.getpid()}"
    inside = ("-n", host.name)
    steps = [
        ("netns", "add", host.name),
        ("link", "add", near, "type", "veth", "peer", "name", far, "netns", host.name),
        ("address", "add", f"{host.near}/30", "dev", near),
        ("link", "set", near, "up"),
        (*inside, "address", "add", f"{host.address}/30", "dev", far),
        (*inside, "link", "set", far, "up"),
        (*inside, "link", "set", "lo", "up"),
        # All that it asks for goes to this machine, whichever address of it is meant.
        (*inside, "route", "add", "default", "via", host.near),
    ]
    try:
        for words in steps:
            done = _ip(*words)
            assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
        yield host
    finally:
        _ip("link", "del", near)
        _ip("netns", "del", host.name)
