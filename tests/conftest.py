"""What every test shares: one way to leave the user's own files and the network alone."""

import importlib.util
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.docker_engine.fixtures import (  # noqa: F401 -- fixtures are found by their names
    development_image,
    docker_engine,
    docker_host,
    scripted_image,
)
from tests.postgres.fixtures import database, postgres  # noqa: F401 -- found by their names
from tests.s3 import s3_bucket, s3_endpoint  # noqa: F401 -- found by their names

if TYPE_CHECKING:
    from tests.dealing import FilesInOrder

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

# The networks of the tests are small: on a busy machine, threads that wait for one another cost
# many times what they save. The programs that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Whoever starts the tests by nohup or in the background has two signals ignored, and so would
# every program that a test starts.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# How fast a shared machine draws examples says nothing about the code. On CI a commit always sees
# the same examples; everywhere else every run looks at new ones.
settings.register_profile(
    "automl",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("automl")

_UNIT = Path(__file__).parent / "unit"
#: A unit test that needs longer is no unit test; a loaded machine may be given more.
_UNIT_SECONDS = float(os.environ.get("AUTOML_TEST_UNIT_SECONDS", "5"))
_UNBOUNDED = ("slow", "ray", "docker", "gpu", "skills", "timeout")

_HAS_TORCH = importlib.util.find_spec("torch") is not None
_OF_PYTEST = "PYTEST_CURRENT_TEST"
# Ray reads its token once, when it is imported: a later search in this process needs the same.
_OF_RAY = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN")
_NEEDS_TORCH = "needs torch: pip install -c constraints.txt -e '.[trainer,dev]'"


class _Module(pytest.Module):
    """A module of tests that is skipped, with the reason, where its imports lead to no torch."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        try:
            return super().collect()
        except self.CollectError as error:
            cause = error.__cause__
            if isinstance(cause, ModuleNotFoundError) and cause.name == "torch":
                pytest.skip(_NEEDS_TORCH, allow_module_level=True)
            raise


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    """Lets modules be collected on a machine without torch."""
    return _Module.from_parent(parent, path=module_path)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> "FilesInOrder | None":
    """Deals the tests to several workers, unless ``--dist`` names another way."""
    from tests.dealing import FilesInOrder

    return FilesInOrder(config, log) if config.getvalue("dist") == "load" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips the tests marked ``torch`` where there is none, and bounds every unit test in time."""
    if hasattr(config, "workerinput"):
        from tests.dealing import longest_first

        longest_first(items)
    for item in items:
        if not _HAS_TORCH and item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.skip(reason=_NEEDS_TORCH))
        if _UNIT in item.path.parents and not any(map(item.get_closest_marker, _UNBOUNDED)):
            item.add_marker(pytest.mark.timeout(_UNIT_SECONDS, func_only=True))


@pytest.fixture(autouse=True)
def environment_stays() -> Iterator[None]:
    """What a test sets in this process's environment, as a search on Ray does, ends with it."""
    before = {name: value for name, value in os.environ.items() if name != _OF_PYTEST}
    yield
    for name in set(os.environ) - {_OF_PYTEST, *_OF_RAY, *before}:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the cache of the person who runs it."""
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def studies_dir(tmp_path: Path) -> Path:
    """An empty folder for the studies of one test."""
    folder = tmp_path / "studies"
    folder.mkdir()
    return folder
