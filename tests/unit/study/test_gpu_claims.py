"""GPUs that drivers claim: seen by other drivers, and free again however a driver ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from automl.study.gpu_claims import Claim, GpuClaims, claimed, runtime_folder

BIKES, CHAIRS = Claim("bikes", 11), Claim("chairs", 22)
#: A driver of its own process: claims a GPU, says so, and waits to be killed.
DRIVER = """
import sys, time
from pathlib import Path
from automl.study.gpu_claims import Claim, GpuClaims
with GpuClaims(["GPU-0"], Claim("bikes", 11), Path(sys.argv[1])):
    print("claimed", flush=True)
    time.sleep(600)
"""


def test_a_claim_is_seen_until_its_driver_ends(tmp_path: Path) -> None:
    uuids = ["GPU-0", "GPU-1"]
    with GpuClaims(["GPU-0"], BIKES, tmp_path) as first:
        assert first.others == {}
        assert claimed(uuids, tmp_path) == {"GPU-0": BIKES}
        with GpuClaims(uuids, CHAIRS, tmp_path) as second:
            assert second.others == {"GPU-0": BIKES}
        assert list(claimed(uuids, tmp_path)) == ["GPU-0"]
    assert claimed(uuids, tmp_path) == {}


def test_a_gpu_is_free_when_the_last_of_its_drivers_has_ended(tmp_path: Path) -> None:
    with GpuClaims(["GPU-0"], CHAIRS, tmp_path):
        with GpuClaims(["GPU-0"], BIKES, tmp_path):
            pass
        assert claimed(["GPU-0"], tmp_path)
    assert not claimed(["GPU-0"], tmp_path)


def test_a_driver_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert driver.stdout is not None
    with driver:
        assert driver.stdout.readline() == "claimed\n"
        assert claimed(["GPU-0"], tmp_path) == {"GPU-0": BIKES}
        driver.kill()
    assert (tmp_path / "gpu-GPU-0.lock").exists()
    assert claimed(["GPU-0"], tmp_path) == {}


def test_a_file_that_says_nothing_is_a_claim_all_the_same(tmp_path: Path) -> None:
    with GpuClaims(["GPU-0"], BIKES, tmp_path):
        (tmp_path / "gpu-GPU-0.lock").write_text("{")
        assert str(claimed(["GPU-0"], tmp_path)["GPU-0"]).startswith("the study of another driver")


def test_the_runtime_folder_is_this_users_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime_folder() == tmp_path / "automl"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = tmp_path / f"automl-{os.getuid()}"
    assert runtime_folder() == own
    assert own.stat().st_mode & 0o777 == 0o700
    own.chmod(0o777)
    assert runtime_folder() is None
    own.rmdir()
    own.symlink_to(tmp_path)
    assert runtime_folder() is None
    with GpuClaims(["GPU-0"], BIKES) as claims:
        assert claims.others == {}
