"""What Ray's workers import, and how what they raise is reported."""

from pathlib import Path

import pytest
from ray.exceptions import RayActorError, RayTaskError

from automl.execution.ray_errors import raised_by_worker
from automl.execution.ray_job import own_job


def test_nothing_in_the_users_folder_comes_before_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job = own_job("a study")
    assert job._client_job, "Ray then leaves the current folder out"
    assert job._py_driver_sys_path == []
    assert job.metadata["job_name"] == "a study"


def test_a_checkout_that_is_not_installed_finds_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Path(__file__).parents[3]
    monkeypatch.chdir(checkout)
    assert own_job()._py_driver_sys_path == [str(checkout)]


def test_an_exception_in_a_worker_is_told_from_a_worker_that_was_killed() -> None:
    raised = RayTaskError("step", "Traceback\nModuleNotFoundError: No module named 'x'", None)
    in_creation = RayActorError(
        error_msg="The actor died because of an error raised in its creation task, x"
    )
    killed = RayActorError(error_msg="The actor died unexpectedly before finishing this task.")
    assert raised_by_worker(raised)
    assert raised_by_worker(in_creation)
    assert not raised_by_worker(killed)
    assert not raised_by_worker(None)
