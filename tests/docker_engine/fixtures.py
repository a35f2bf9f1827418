"""The engine and its images as fixtures: one of each for all tests of a session."""

import gc
import os
import socket
import sysconfig
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import docker
import pytest

from tests.docker_engine import images
from tests.docker_engine.engine import ALLOW, PrivateEngine, why_not

__all__ = ["development_image", "docker_engine", "docker_host", "scripted_image"]


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[PrivateEngine]:
    """A running engine; skips, with the reason, where none can run."""
    reason = why_not()
    if reason:
        _go_without(reason)
    engine = PrivateEngine(Path(tempfile.mkdtemp(prefix="automl-dk-", dir="/tmp")), _free_port())
    try:
        engine.start()
    except RuntimeError as error:
        engine.close()
        _go_without(str(error))
    # What lives by now is no test's litter, and need not be looked through after each of them.
    gc.collect()
    gc.freeze()
    yield engine
    gc.unfreeze()
    engine.close()


def _go_without(reason: str) -> NoReturn:
    """Skips, unless this machine is meant to run an engine."""
    if os.environ.get(ALLOW) == "2":
        pytest.fail(reason)
    pytest.skip(reason)


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


@pytest.fixture(scope="session")
def scripted_image(docker_engine: PrivateEngine) -> str:
    """An image whose ``centerpose`` plays a script; skips where no container can run."""
    client = docker_engine.client()
    try:
        made = images.make_scripted(client)
        client.containers.run(made, ["/bin/sh", "-c", "true"], network_mode="none", remove=True)
    except docker.errors.DockerException as error:
        _go_without(f"an engine runs here, but no container: {error}")
    return made


@pytest.fixture(scope="session")
def development_image(
    docker_engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The development image: ``centerpose`` is the trainer of this package."""
    if Path(sysconfig.get_paths()["purelib"], "nvidia").is_dir():
        pytest.skip("torch here is a CUDA build, whose gigabytes of libraries fill no test image")
    client = docker_engine.client()
    base = images.make_base(client)
    return images.make_development(client, base, tmp_path_factory.mktemp("context"))


@pytest.fixture
def docker_host(
    docker_engine: PrivateEngine, scripted_image: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PrivateEngine]:
    """The engine with the small image in it, as what this process's ``DOCKER_HOST`` names.

    No test may leave a container behind.
    """
    for name in ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_HOST", docker_engine.host)
    yield docker_engine
    left = docker_engine.client().containers.list(all=True, ignore_removed=True)
    names = [each.name for each in left]
    for each in left:
        each.remove(force=True)
    _collect_sockets()
    assert not names, "containers left behind"


def _collect_sockets() -> None:
    """The docker package leaves a socket open where an engine does not answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
