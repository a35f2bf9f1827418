"""What a driver claims of this machine's GPUs."""

from dataclasses import replace

import pytest

from automl.app.gpu_use import gpus_of, shared_use
from automl.gpus import Gpu
from automl.study.config import Direction, Objective, Resources, StudyConfig

CONFIG = StudyConfig("bikes", "/skill", "on", "default", Objective("score", Direction.MAXIMIZE))


@pytest.mark.parametrize(
    ("resources", "uuids"),
    [
        (Resources(gpus_per_trial=1, gpu_ids=(1,)), ["GPU-1"]),
        (Resources(gpus_per_trial=1), ["GPU-0", "GPU-1"]),
        (Resources(gpus_per_trial=0), []),
    ],
)
def test_two_drivers_of_one_gpu_see_each_other(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    resources: Resources,
    uuids: list[str],
) -> None:
    gpus = [Gpu(index, f"GPU-{index}", "NVIDIA H200") for index in range(2)]
    monkeypatch.setattr("automl.app.gpu_use.read_gpus", lambda: gpus)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    with gpus_of(replace(CONFIG, resources=resources)) as first:
        assert list(first.uuids) == uuids
        assert not shared_use(first)
        with gpus_of(replace(CONFIG, name="chairs", resources=resources)) as second:
            said = shared_use(second)
    assert len(said) == len(uuids)
    assert all("is in use by the study bikes" in note for note in said)
