"""What Ray is told of a study's job: whose it is, and what its workers may import."""

from pathlib import Path
from typing import Any

__all__ = ["own_job"]


def own_job(purpose: str = "") -> Any:
    """A job whose workers import what is installed, and nothing that lies in the user's folder.

    Ray puts the current folder before all others, where a ``queue.py`` or an older copy of this
    package would be imported in place of the real one. It leaves that out for the job of a client.

    Args:
        purpose: What other users of the cluster see this job as.
    """
    from ray.job_config import JobConfig

    package = Path(__file__).parents[2]
    return JobConfig(
        metadata={"job_name": purpose} if purpose else None,
        # A checkout that is not installed is found by its folder alone.
        _py_driver_sys_path=[str(package)] if package == Path.cwd() else [],
        _client_job=True,
    )
