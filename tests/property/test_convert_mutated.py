"""Sources as no program wrote them: a broken frame is named, and what is written can be read."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

pytest.importorskip("cv2")

from automl.data.checks import check_split, purpose_of
from automl.data.convert.conversion import ConvertRequest, convert
from automl.data.synth.make import synthesise
from automl.data.synth.request import SynthRequest
from automl.errors import FixInput
from tests.mutations import mutated_bytes, mutated_json, seeded
from tests.unit.data.convert.sources import WRITERS, known_frames

#: Variant to the file that is changed.
FILES = {
    "bop": ("scene_gt.json", "scene_camera.json", "scene_gt_info.json", "models_info.json"),
    "nvisii": ("000000.json",),
    "ndds": ("000000.left.json", "_camera_settings.json", "_object_settings.json"),
    "isaac": ("0000.json",),
    "isaac-centerpose": ("0000.json",),
    "isaac-dope": ("0000.json",),
    "objectron": ("3.pbdata",),
    "ycb": ("000001-meta.mat", "000001-box.txt", "points.xyz", "000001-label.png"),
}
CASES = [(variant, name) for variant, names in FILES.items() for name in names]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    request = SynthRequest(category="cereal_box", train=2, val=0, test=0, seed=1)
    synthesise(request, folder / "synthetic")
    frames = known_frames(folder / "synthetic" / "train")
    for variant, (_, write, _) in WRITERS.items():
        write(folder / variant, frames)
    return folder


@pytest.mark.parametrize(("variant", "name"), CASES)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(seed=0)
@given(seed=st.integers(0, 10_000))
def test_a_changed_source_is_converted_or_refused(
    variant: str, name: str, seed: int, sources: Path, tmp_path: Path
) -> None:
    place = tmp_path / f"{variant}-{seed}"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(sources / variant, place / "source")
    (path,) = (place / "source").rglob(name)
    change = mutated_json if path.suffix == ".json" else mutated_bytes
    path.write_bytes(change(path.read_bytes(), seeded(seed)))
    try:
        convert(ConvertRequest(place / "source", place / "out", WRITERS[variant][0]))
    except FixInput:
        assert not (place / "out").exists()
    else:
        check_split(place / "out" / "train", purpose_of("train"))
    finally:
        shutil.rmtree(place, ignore_errors=True)
