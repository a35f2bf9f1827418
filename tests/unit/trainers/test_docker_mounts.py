"""What a container sees of the host, and how paths read on either side."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.study.layout import AttemptPaths
from automl.trainers.docker.mounts import Mounts, mounts_for, rewritten

STUDY = Path("/home/ana/studies/bikes")
ATTEMPT = AttemptPaths(STUDY / "trials" / "0003" / "1")
NAMES = st.text("abc-._ ", min_size=1, max_size=4).filter(lambda name: name.strip(". ") != "")
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/" + "/".join(["h", *names]))


def everything(_: Path) -> bool:
    return True


def mounts(spec: object) -> Mounts:
    assert isinstance(spec, dict)
    return mounts_for(spec, ATTEMPT, everything)


def test_the_attempt_can_be_written_and_nothing_else_of_the_study_is_there() -> None:
    before = STUDY / "trials" / "0003" / "0" / "model_epoch_003_step_00040.pth"
    own = ATTEMPT.folder / "model.onnx"
    spec = {"dataset": {"train_data": "/data/train"}, "from": str(before), "to": str(own)}
    found = mounts(spec)
    told = {str(each.host): (str(each.inside), each.read_only) for each in found.mounts}
    assert told == {
        str(ATTEMPT.folder): ("/results", False),
        str(ATTEMPT.spec): ("/results/spec.yaml", True),
        "/data/train": ("/inputs/dataset-train_data", True),
        str(before): (f"/inputs/from/{before.name}", True),
    }
    assert found.inside(str(own)) == "/results/model.onnx"
    for path in (STUDY, STUDY / "best", STUDY / "study.journal", ATTEMPT.folder.parent):
        assert found.inside(str(path)) is None


def test_paths_in_lists_have_places_of_their_own() -> None:
    spec = {"cal": {"dirs": ["/a", "/b", "/a"]}}
    assert rewritten(spec, mounts(spec).inside) == {
        "cal": {"dirs": ["/inputs/cal-dirs", "/inputs/cal-dirs-2", "/inputs/cal-dirs"]}
    }


def test_what_is_no_path_of_the_host_stays() -> None:
    spec = {
        "own": "/opt/weights/in/the/image.pth",
        "device": "/dev/dri/x",
        "root": "/",
        "word": "train",
        "reference": "${results_dir}/x",
        "number": 3,
    }
    found = mounts_for(spec, ATTEMPT, lambda path: not path.is_relative_to("/opt"))
    assert [each.host for each in found.mounts] == [ATTEMPT.folder, ATTEMPT.spec]
    assert rewritten(spec, found.inside) == spec


def test_a_path_below_a_mount_of_another_setting_is_found_through_the_nearest() -> None:
    spec = {"all": "/data", "val": "/data/val"}
    found = mounts(spec)
    assert found.inside("/data/val/x") == "/inputs/val/x"
    assert found.inside("/data/train/x") == "/inputs/all/train/x"
    assert found.inside("/database") is None


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("No such file: '/inputs/data/a.png'", "No such file: '/d/a.png'"),
        ("wrote /results/model.pth", f"wrote {ATTEMPT.folder}/model.pth"),
        ("in /inputs/data.", "in /d."),
        ("/inputs/database and /my/results stay", "/inputs/database and /my/results stay"),
    ],
)
def test_a_line_of_the_log_names_paths_as_the_host_does(line: str, read: str) -> None:
    assert mounts({"data": "/d"}).text_on_host(line) == read


@given(st.dictionaries(st.sampled_from("abcdef"), PATHS | st.lists(PATHS, max_size=3)))
def test_a_spec_comes_back_from_the_container_as_it_was(spec: dict[str, object]) -> None:
    found = mounts(spec)
    inside = rewritten(spec, found.inside)
    assert rewritten(inside, found.host) == spec
    places = [each.inside for each in found.mounts]
    assert len(set(places)) == len(places)
    inputs = places[2:]
    assert not any(a != b and a.is_relative_to(b) for a in inputs for b in places)


@given(PATHS)
def test_mounts_are_read_back_as_written(path: str) -> None:
    found = mounts({"a": path})
    assert Mounts.from_json(found.to_json()) == found
