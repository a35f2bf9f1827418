"""What is handed to batch systems: the script of a Slurm job, the manifest of a RayJob."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automl.app.kuberay import KubeRayJob, check_manifest, manifest
from automl.app.slurm import SlurmJob, batch_script, parse_extra, submit
from automl.cli.main import main
from automl.errors import FixInput, PrepareMachine
from automl.yamltext import dump_yaml, load_yaml

Golden = Callable[[str, str], None]

JOB = SlurmJob(
    "bikes",
    Path("/home/me/my bikes.yaml"),
    Path("/shared/studies"),
    Path("/home/me"),
    gpus_per_node=2,
    options=parse_extra(["time=8:00:00", "partition=gpu", "--cpus-per-task=16"]),
)
RAY_JOB = KubeRayJob(
    "bikes",
    "registry.lab/automl:1",
    "2.60.0",
    "/studies/bikes.yaml",
    "studies",
    4,
    secret="s3",  # noqa: S106 -- a name
)


@pytest.fixture(autouse=True)
def _python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/venv/bin/python")


def test_the_script_of_one_node(golden: Golden) -> None:
    golden("cluster/slurm-one-node.sh", batch_script(JOB))


def test_the_script_of_several_nodes(golden: Golden) -> None:
    golden("cluster/slurm-four-nodes.sh", batch_script(replace(JOB, nodes=4)))


@pytest.mark.parametrize("nodes", [1, 4])
def test_bash_reads_the_script(nodes: int) -> None:
    script = batch_script(replace(JOB, nodes=nodes))
    subprocess.run(["/bin/bash", "-n"], input=script, text=True, check=True)


def test_the_manifest(golden: Golden) -> None:
    made = manifest(RAY_JOB)
    check_manifest(made)
    golden("cluster/rayjob.yaml", dump_yaml(made))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shutdownAfterJobFinish": True}, "spec.shutdownAfterJobFinish is no field"),
        ({"backoffLimit": "3"}, "spec.backoffLimit must be of the kind int"),
    ],
)
def test_a_field_that_a_ray_job_has_not_is_found(change: dict[str, object], said: str) -> None:
    made = manifest(RAY_JOB)
    with pytest.raises(ValueError, match=said):
        check_manifest({**made, "spec": made["spec"] | change})


def test_the_commands_print_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bikes.yaml").write_text("trials: 4\n")
    assert main(["slurm", "bikes.yaml", "--time", "1:00:00", "--print"]) == 0
    script = capsys.readouterr().out
    assert "#SBATCH --time=1:00:00" in script
    assert f"{tmp_path}/studies/bikes/resolved.json" in script
    asked = ["--name", "bikes", "--image", "automl:1", "--claim", "studies"]
    assert main(["kuberay", "/studies/bikes.yaml", *asked]) == 0
    (tmp_path / "job.yaml").write_text(capsys.readouterr().out)
    made = load_yaml(tmp_path / "job.yaml")
    assert isinstance(made, dict)
    check_manifest(made)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exclusive", "must be written KEY=VALUE"),
        ("mem=1\n#SBATCH", "must be written KEY=VALUE"),
        ("signal=B:USR1@5", "the script's own options"),
    ],
)
def test_options_that_would_break_the_script_are_refused(text: str, said: str) -> None:
    with pytest.raises(FixInput, match=said):
        parse_extra([text])


def test_without_slurm_the_way_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(PrepareMachine, match="--print"):
        submit(batch_script(JOB), tmp_path)


def test_what_slurm_refuses_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "sbatch"
    program.write_text("#!/bin/sh\necho 'sbatch: error: invalid partition' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(PrepareMachine, match="invalid partition"):
        submit(batch_script(JOB), tmp_path / "studies")
