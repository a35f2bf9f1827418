"""Where results go: flat where names allow, and never onto something else."""

from pathlib import Path

import pytest

from automl.centerpose.predict.outputs import OutputFiles, output_files
from automl.errors import FixInput

ROOT, OUT = Path("/data/images"), Path("/data/results")


def test_unlike_names_share_one_folder() -> None:
    places = output_files([ROOT / "a" / "1.jpg", ROOT / "b" / "2.png"], ROOT, OUT)
    assert places == [
        OutputFiles(OUT / "1.jpg", OUT / "1.json"),
        OutputFiles(OUT / "2.png", OUT / "2.json"),
    ]


def test_equal_names_keep_their_folders() -> None:
    places = output_files([ROOT / "a" / "1.jpg", ROOT / "b" / "1.png"], ROOT, OUT)
    assert places == [
        OutputFiles(OUT / "a" / "1.jpg", OUT / "a" / "1.json"),
        OutputFiles(OUT / "b" / "1.png", OUT / "b" / "1.json"),
    ]


def test_one_stem_with_two_endings_gives_two_files() -> None:
    places = output_files([ROOT / "1.jpg", ROOT / "1.png"], ROOT, OUT)
    assert [place.poses for place in places] == [OUT / "1.jpg.json", OUT / "1.png.json"]


def test_an_image_called_status_spares_the_status_file() -> None:
    (place,) = output_files([ROOT / "status.png"], ROOT, OUT)
    assert place.poses == OUT / "status.png.json"


@pytest.mark.parametrize("folder", [ROOT, ROOT / "a", ROOT / "a" / "inference"])
def test_results_do_not_go_among_the_images(folder: Path) -> None:
    with pytest.raises(FixInput, match=r"inference\.results_dir"):
        output_files([ROOT / "a" / "1.jpg"], ROOT, folder)


def test_a_laid_out_folder_does_not_fall_onto_its_images() -> None:
    images = [ROOT / "images" / "1.jpg", ROOT / "1.jpg"]
    with pytest.raises(FixInput, match="must not replace"):
        output_files(images, ROOT, ROOT.parent / "." / "images" / "..")
