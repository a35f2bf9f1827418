"""What the facts about a machine and a study are taken to mean, and one look at a real machine."""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from automl.app.doctor_checks import (
    DiskFacts,
    FolderFacts,
    check_disk,
    check_folder,
    check_gpus,
)
from automl.app.doctor_study import batches_of, check_batches, check_shared, check_space
from automl.app.plan import Plan
from automl.app.run import start
from automl.app.screen import Ending, Screen
from automl.checkup import Check, Result
from automl.cli.doctor_commands import checks_text
from automl.cli.main import main
from automl.data.checks import SplitFacts
from automl.files import write_json
from automl.gpus import Gpu, GpuProcess
from automl.jsontext import read_json
from automl.skill.read import own_skill_dir
from automl.space.distributions import Choice
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.records import FailureClass
from automl.trainers.base import Problem
from automl.trainers.checkup import check_problems, check_shared_memory
from automl.trainers.docker.checkup import EngineFacts, check_engine, gpus_of_trials
from automl.trainers.docker.engine import EngineAway
from automl.trainers.docker.probe import Probed
from automl.trainers.process_entry import check_packages
from tests.other_skill import write_other_skill
from tests.unit.reports.study_builder import SPACE, StudyBuilder, fill

OK, WARN, FAIL = Result.OK, Result.WARN, Result.FAIL
GPU = Gpu(0, "GPU-0", "NVIDIA L40S", 46_068, 4, "580.95")
ENGINE = EngineFacts("", "unix:///run/docker.sock", "27.3", ("runc", "nvidia"), "tao:7.1.0",
                     "sha256:9c1e")  # fmt: skip
REFUSED = (
    "the engine refused the container: the engine has no NVIDIA runtime: "
    'could not select device driver "" with capabilities: [[gpu]]'
)
DISK = DiskFacts(212 * 10**9, 500 * 10**9, 10**9, trials=36, per_trial=10, concurrent=4)

BATCH = "dataset.batch_size"


def results(checks: object) -> list[tuple[str, Result]]:
    return [(check.name, check.result) for check in checks]  # type: ignore[attr-defined]


class TestEngine:
    def runtime(self, probe: Probed | None, **facts: object) -> Check:
        checks = check_engine(replace(ENGINE, probe=probe, **facts))  # type: ignore[arg-type]
        return next(check for check in checks if check.name == "NVIDIA runtime")

    def test_all_is_well(self) -> None:
        checks = list(check_engine(ENGINE))
        assert [check.result for check in checks] == [OK, OK, OK]
        assert checks[0].detail == "27.3 at unix:///run/docker.sock"

    def test_an_engine_that_is_away_is_all_that_is_told(self) -> None:
        away = EngineFacts(error="permission denied")
        checks = list(check_engine(away))
        assert results(checks) == [("docker engine", FAIL)]
        assert "DOCKER_HOST" in checks[0].fix

    def test_a_runtime_that_is_not_listed_is_a_guess_and_no_failure(self) -> None:
        check = self.runtime(None, runtimes=("runc",))
        assert check.result is WARN
        assert "runc" in check.detail
        assert "Container Toolkit" in check.fix

    def test_a_probe_counts_and_not_the_list(self) -> None:
        assert self.runtime(Probed(("0",)), runtimes=("runc",)).result is OK
        assert self.runtime(Probed(("0",), REFUSED, FailureClass.GPU)).result is FAIL

    def test_a_probe_without_nvidia_smi_tells_how_long_it_took(self) -> None:
        check = self.runtime(Probed(("0", "2"), seconds=1.26))
        assert check.detail == "a probe container got GPUs 0, 2 in 1.3 s"

    @pytest.mark.parametrize(
        ("refusal", "failure", "fix"),
        [
            (REFUSED, FailureClass.GPU, "nvidia-ctk runtime configure"),
            ("nvidia-container-cli: device error: 9: unknown device", FailureClass.GPU, "--gpus"),
            ("read timed out", None, "docker run"),
        ],
    )
    def test_a_probe_that_is_refused(
        self, refusal: str, failure: FailureClass | None, fix: str
    ) -> None:
        check = self.runtime(Probed(("0",), refusal, failure))
        assert check.result is FAIL
        assert refusal in check.detail
        assert fix in check.fix

    @pytest.mark.parametrize(
        ("inside", "expected"),
        [(("GPU-a", "GPU-b"), OK), (("GPU-b", "GPU-a"), OK), (("GPU-a",), FAIL), ((), FAIL)],
    )
    def test_the_gpus_inside_are_those_outside(
        self, inside: tuple[str, ...], expected: Result
    ) -> None:
        check = self.runtime(Probed(("0", "1"), uuids=inside), uuids=("GPU-a", "GPU-b"))
        assert check.result is expected
        assert ("the same as outside" in check.detail) is (expected is OK)

    def test_what_nvidia_smi_says_inside_is_told(self) -> None:
        error = "Failed to initialize NVML: Driver/library version mismatch"
        check = self.runtime(Probed(("0",), error=error))
        assert check.result is FAIL
        assert error in check.detail

    def test_a_missing_image_says_how_to_get_it(self) -> None:
        missing = Problem("the image must be there", "no tao:7.1.0", "docker pull tao:7.1.0")
        check = list(check_engine(replace(ENGINE, missing=missing)))[1]
        assert (check.name, check.result, check.fix) == ("image", FAIL, "docker pull tao:7.1.0")

    def test_an_image_that_a_study_recorded_has_no_name(self) -> None:
        image = f"sha256:{'9c1e' * 16}"
        check = list(check_engine(replace(ENGINE, image=image, image_id=image)))[1]
        assert check.detail == "what the study began with is here, sha256:9c1e9c1e9c1e"

    def test_the_gpus_of_all_trials_are_asked_for(self) -> None:
        there = [replace(GPU, index=index, uuid=f"GPU-{index}") for index in range(3)]
        assert gpus_of_trials(1, None, there) == tuple(there)
        assert [gpu.index for gpu in gpus_of_trials(1, (0, 2), there)] == [0, 2]
        assert gpus_of_trials(0, None, there) == ()


class TestGpus:
    @pytest.mark.parametrize(("are_needed", "expected"), [(True, FAIL), (False, WARN)])
    def test_none(self, are_needed: bool, expected: Result) -> None:
        (check,) = check_gpus([], are_needed=are_needed)
        assert (check.name, check.result) == ("GPUs", expected)
        assert ("on the CPU" in check.fix) is not are_needed

    def test_one_is_enough_and_two_are_better(self) -> None:
        (one, driver) = check_gpus([GPU], are_needed=True)
        assert one.result is OK
        assert "two or more" in one.detail
        assert driver.detail == "580.95"
        two = next(iter(check_gpus([GPU, replace(GPU, index=1)], are_needed=True)))
        assert "two or more" not in two.detail

    def test_a_small_one_is_named(self) -> None:
        small = replace(GPU, index=1, memory_total_mib=8_192)
        check = next(iter(check_gpus([GPU, small], are_needed=False)))
        assert check.result is WARN
        assert "GPU 1 has less than 16 GB" in check.detail

    def test_who_uses_one(self) -> None:
        user = GpuProcess(8123, "python")
        busy = replace(GPU, memory_used_mib=9_318, processes=(user,))
        check = list(check_gpus([busy], are_needed=False))[-1]
        assert (check.name, check.result) == ("GPU in use", WARN)
        assert "9.1 GiB taken by pid 8123 python" in check.detail

    def test_memory_of_an_unseen_process(self) -> None:
        check = list(check_gpus([replace(GPU, memory_used_mib=20_000)], are_needed=False))[-1]
        assert "an unseen process" in check.detail


class TestDisk:
    def test_the_forecast_counts_what_is_kept_and_what_is_being_written(self) -> None:
        assert DISK.needed(keeps_all=False) == (36 + 8) * 10**9
        assert DISK.needed(keeps_all=True) == (360 + 8) * 10**9
        assert replace(DISK, kept=2).needed(keeps_all=False) == (72 + 8) * 10**9

    def test_room_enough(self) -> None:
        check = check_disk(DISK)
        assert check.result is OK
        assert "about 44.0 GB needed (368.0 GB if all checkpoints were kept)" in check.detail

    def test_keeping_all_does_not_fit_but_the_best_do(self) -> None:
        check = check_disk(replace(DISK, keeps_all=True))
        assert (check.result, check.fix) == (FAIL, "--keep best")

    def test_nothing_fits(self) -> None:
        check = check_disk(replace(DISK, free_bytes=10**9))
        assert check.result is FAIL
        assert "--studies-dir" in check.fix

    def test_little_would_be_left(self) -> None:
        assert check_disk(replace(DISK, free_bytes=60 * 10**9)).result is WARN

    def test_an_unknown_size_forecasts_nothing(self) -> None:
        check = check_disk(replace(DISK, checkpoint_bytes=0))
        assert (check.result, check.detail) == (OK, "212.0 GB free")


class TestFolder:
    HERE = Path("/data/studies")

    def test_one_that_can_be_written(self) -> None:
        (check,) = check_folder(FolderFacts(self.HERE, file_system="ext4"), is_root=False)
        assert (check.result, check.detail) == (OK, "/data/studies can be written, as you")

    def test_root_is_told_whose_the_results_will_be(self) -> None:
        (check,) = check_folder(FolderFacts(self.HERE), is_root=True)
        assert "belong to root" in check.detail

    def test_one_that_cannot(self) -> None:
        (check,) = check_folder(FolderFacts(self.HERE, error="no right"), is_root=False)
        assert check.result is FAIL

    def test_files_of_another_user(self) -> None:
        (check,) = check_folder(FolderFacts(self.HERE, foreign=("a", "b")), is_root=False)
        assert check.result is WARN
        assert "chown" in check.fix

    @pytest.mark.parametrize("kind", ["nfs4", "nfs", "cifs", "lustre", "fuse.sshfs"])
    def test_a_network_file_system(self, kind: str) -> None:
        checks = list(check_folder(FolderFacts(self.HERE, file_system=kind), is_root=False))
        assert results(checks) == [("studies folder", OK), ("file system", WARN)]


class TestTheRest:
    def test_shared_memory(self) -> None:
        gib = 1 << 30
        assert check_shared_memory(16 * gib, 16 * gib).result is OK
        assert check_shared_memory(gib // 16, gib).result is WARN

    def test_packages(self) -> None:
        assert check_packages(()).result is OK
        check = check_packages(("torch", "cv2"))
        assert check.result is FAIL
        assert "torch, cv2" in check.detail
        assert "-e '.[trainer]'" in check.fix

    def test_what_the_trainer_says(self) -> None:
        assert results(check_problems("process", [])) == [("trainer", OK)]
        (check,) = check_problems("process", [Problem("the command exists", "none", "install")])
        assert (check.result, check.detail) == (FAIL, "the command exists, but got none")

    def test_every_batch_of_the_space_is_held_against_the_data(self) -> None:
        assert batches_of(SPACE, BATCH) == (16,)
        choices = Parameter("dataset.batch_size", "ordered_int", Choice((4, 64)), default=4)
        assert max(batches_of(SearchSpace((choices,)), BATCH)) == 64
        data = {
            split: SplitFacts(Path(split), images, images, {"bike": images}, {(6, 8): images}, ())
            for split, images in (("train", 1284), ("val", 100))
        }
        enough, short = check_batches(data, 50, 2, BATCH), check_batches(data, 64, 2, BATCH)
        assert enough is not None
        assert short is not None
        assert enough.result is OK
        assert short.result is FAIL
        assert "dataset.batch_size=LOW..50" in short.fix
        assert check_batches({}, 64, 2, BATCH) is None

    def test_images_in_both_splits(self) -> None:
        assert check_shared(0, 64).result is OK
        assert check_shared(3, 64).detail == "3 of 64 val images are in both"
        assert check_shared(0, 64, 5).result is WARN
        assert "5 images of one are nearly in the other" in check_shared(3, 64, 5).detail

    def test_the_space_tells_what_is_inert_and_what_is_refused(self) -> None:
        checks = list(check_space(SPACE))
        assert [check.result for check in checks] == [OK, WARN, WARN]
        assert "lr_steps" in checks[1].fix


def test_the_text_of_a_check_up() -> None:
    checks = [
        *check_engine(ENGINE),
        *check_gpus([], are_needed=True),
        check_disk(replace(DISK, keeps_all=True)),
    ]
    text = checks_text(checks)
    assert text.splitlines()[-1] == "2 errors, 0 warnings"
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "                          → --keep best" in text.splitlines()


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, list[Check]]:
    code = main(["doctor", *argv, "--json"])
    value = json.loads(capsys.readouterr().out)
    assert value["schema"] == "automl.doctor/2"
    return code, [Check(**check) for check in value["checks"]]


def test_this_machine_without_a_study(
    studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, checks = run(capsys, "--studies-dir", str(studies_dir))
    names = [check.name for check in checks]
    assert {"GPUs", "trainer packages", "disk", "studies folder"} <= set(names)
    assert "study" not in names


def test_a_study_is_checked_deeply_and_leaves_nothing_behind(
    studies_dir: Path, splits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--train-data", str(splits / "train"), "--val-data", str(splits / "val"))
    where = ("--studies-dir", str(studies_dir), "--trainer", "scripted", "--deep")
    code, checks = run(capsys, *data, *where)
    found = {check.name: check for check in checks}
    assert code == 0
    assert found["metric"].result == OK
    assert found["metric"].detail.startswith(
        "val_3DIoU seen in status.json after one epoch beside "
    )
    assert found["train and val"].result == OK
    assert list(studies_dir.iterdir()) == []


def test_the_start_is_told_apart_from_the_epoch(
    studies_dir: Path,
    splits: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start_slowly(plan: Plan, screen: Screen) -> Ending:
        ending = start(plan, screen)
        attempt = ending.paths.attempt(0, 1)
        timed = {"epoch": 0, "time_per_epoch": "0:00:02", "message": "Training"}
        (attempt.folder / "status.json").write_text(json.dumps(timed))
        write_json(attempt.outcome, {**read_json(attempt.outcome), "seconds": 26.0})
        return ending

    monkeypatch.setattr("automl.app.doctor.start", start_slowly)
    data = ("--train-data", str(splits / "train"), "--val-data", str(splits / "val"))
    where = ("--studies-dir", str(studies_dir), "--trainer", "scripted", "--deep")
    _, checks = run(capsys, *data, *where)
    assert checks[-1].detail == (
        "val_3DIoU seen in status.json after one epoch, "
        "2.0 s, and 24.0 s to start and end a training"
    )


def test_the_inputs_that_another_skill_lacks_are_named(
    studies_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skill = write_other_skill(tmp_path / "tao-train-dino")
    argv = ("--skill-dir", str(skill), "--metric", "val_mAP", "--direction", "maximize")
    code, checks = run(capsys, *argv, "--studies-dir", str(studies_dir))
    found = {check.name: check for check in checks}
    assert code == 3
    assert found["trainer"].result == FAIL
    assert "no program 'dino'" in found["trainer"].detail
    assert found["inputs"].result == FAIL
    assert found["inputs"].detail == (
        "no value for dataset.train_data_sources[0].image_dir, "
        "dataset.val_data_sources[0].image_dir"
    )
    assert found["inputs"].fix == "give --data dataset.train_data_sources[0].image_dir=PATH"


def test_a_metric_that_never_appears_is_found_by_the_mini_run(
    studies_dir: Path, splits: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(
        f"data: {{train: {splits / 'train'}, val: {splits / 'val'}}}\n"
        "trainer: scripted\nscript: {faults: {0: {kind: no-metric}}}\n"
    )
    argv = ("--study", str(file), "--studies-dir", str(studies_dir), "--deep")
    code, checks = run(capsys, *argv)
    assert code == 3
    assert checks[-1].name == "metric"
    assert "never appeared" in checks[-1].detail
    assert "--metric" in checks[-1].fix


def test_a_request_that_cannot_be_planned_is_one_failure_among_the_findings(
    studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, checks = run(capsys, "--train-data", "/nowhere", "--studies-dir", str(studies_dir))
    assert code == 3
    assert checks[-1].name == "study"
    assert "/nowhere" in checks[-1].detail


def test_data_at_an_address_that_nobody_reaches_is_one_line(
    studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens there
        where = f"http://127.0.0.1:{unused.getsockname()[1]}/train.tar.gz"
        code = main(["doctor", "--train-data", where, "--studies-dir", str(studies_dir), "--json"])
    told = capsys.readouterr()
    found = [Check(**check) for check in json.loads(told.out)["checks"]]
    (line,) = [check for check in found if check.name == "study"]
    assert code == 3
    assert line.result == FAIL
    assert "must be reachable from this machine" in line.detail
    assert where in line.detail
    assert "network" in line.fix
    assert "Traceback" not in told.err + told.out


def test_a_study_that_there_is(
    studies_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    own = own_skill_dir()
    resolved = builder.paths.resolved
    resolved.write_text(resolved.read_text().replace("/skills/centerpose", str(own)))
    _, checks = run(capsys, "--study", "bike-fan", "--studies-dir", str(studies_dir))
    names = [check.name for check in checks]
    assert "search space" in names
    assert "study" not in names


def test_an_engine_is_looked_at_though_the_study_cannot_be_planned(
    studies_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> NoReturn:
        raise EngineAway("no engine here")

    monkeypatch.setattr("automl.trainers.docker.checkup.connect", away)
    argv = ("--train-data", "/nowhere", "--trainer", "docker", "--studies-dir", str(studies_dir))
    code, checks = run(capsys, *argv)
    found = {check.name: check for check in checks}
    assert code == 3
    assert found["docker engine"].result == FAIL
    assert found["docker engine"].detail == "no engine here"
    assert "study" in found
