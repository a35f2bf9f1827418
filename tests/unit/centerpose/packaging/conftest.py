import pytest


@pytest.fixture(autouse=True)
def _quiet_process() -> None:
    """Nothing here needs torch, nor changes what belongs to the process."""
