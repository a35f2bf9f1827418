"""Whatever images are called and wherever they lie, no two results share a file."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from automl.centerpose.predict.outputs import output_files
from automl.trainers.contract import STATUS_NAME

ROOT, OUT = Path("/data/images"), Path("/data/results")

_STEMS = st.sampled_from(["0", "1", "0.jpg", "status", "status.jpg"])
_NAMES = st.builds("{}.{}".format, _STEMS, st.sampled_from(["jpg", "png", "JPG"]))
_FOLDERS = st.sampled_from(["", "a", "a/b", "0.jpg"])
_IMAGES = st.builds(lambda folder, name: ROOT / folder / name, _FOLDERS, _NAMES)


@given(st.lists(_IMAGES, unique=True, min_size=1))
def test_no_result_falls_onto_another(images: list[Path]) -> None:
    places = output_files(images, ROOT, OUT)
    written = [path for place in places for path in (place.overlay, place.poses)]
    assert len({*written, OUT / STATUS_NAME}) == 2 * len(images) + 1
    assert all(OUT in path.parents for path in written)
    assert [place.overlay.name for place in places] == [image.name for image in images]
