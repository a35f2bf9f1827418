"""The settings of containers: read, refused, and what follows from them."""

import csv
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.read import own_skill_dir, read_skill
from automl.trainers.base import Pinned
from automl.trainers.docker.create import create_options
from automl.trainers.docker.images import image_name, image_to_run
from automl.trainers.docker.mounts import Mount, Mounts
from automl.trainers.docker.options import DockerOptions, size_bytes, size_text
from automl.trainers.docker.plan import ContainerLimits, ContainerPlan, Labels
from automl.trainers.shared_memory import shm_bytes

GIB = 1 << 30
TAO = "nvcr.io/nvidia/tao/tao-toolkit:7.1.0"


class TestOptions:
    def test_what_was_not_given_has_its_default(self) -> None:
        assert DockerOptions.from_options({"image": None}) == DockerOptions()
        assert DockerOptions().network == "none"

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"imag": "x"}, "did you mean image"),
            ({"memory": "lots"}, "write 16g"),
            ({"shm_size": "-1g"}, "write 16g"),
            ({"pids_limit": 0}, "at least 1"),
            ({"pids_limit": "many"}, "whole number"),
            ({"env": 3}, "list of names"),
        ],
    )
    def test_what_cannot_be_is_refused(self, options: dict[str, Any], named: str) -> None:
        with pytest.raises(FixInput, match=named):
            DockerOptions.from_options(options)

    @pytest.mark.parametrize("name", ["image", "deploy_image", "image_id", "network"])
    @pytest.mark.parametrize("text", ["--privileged", "a b", "a\nb", "\x1b[31ma", "a\udc80", "-"])
    def test_what_docker_would_take_for_something_else_is_refused(
        self, name: str, text: str
    ) -> None:
        with pytest.raises(FixInput, match=f"{name} must be one word") as refused:
            DockerOptions.from_options({name: text})
        assert str(refused.value).isprintable()

    def test_a_value_in_place_of_a_name_is_refused_and_not_repeated(self) -> None:
        with pytest.raises(FixInput) as refused:
            DockerOptions.from_options({"env": ["WANDB_API_KEY=hush"]})
        assert "hush" not in str(refused.value)

    def test_sizes(self) -> None:
        assert [size_bytes(text) for text in ("16g", "512M", "1k", "7", "2GiB")] == [
            *(16 * GIB, 512 << 20, 1024, 7, 2 * GIB)
        ]
        assert [size_text(size) for size in (16 * GIB, 3 << 20, 1025)] == ["16g", "3m", "1025"]

    def test_shared_memory_grows_with_what_loaders_hold(self) -> None:
        assert shm_bytes(workers=8, batch_size=4, gpus=1) == 16 * GIB
        assert shm_bytes(workers=0, batch_size=512, gpus=8) == 16 * GIB
        # 16 workers x 2 batches x 64 images x 8 MiB x 2 processes = 32 GiB
        assert shm_bytes(workers=16, batch_size=64, gpus=2) == 32 * GIB


class TestImages:
    def test_symbolic_names_are_resolved(self) -> None:
        skill = read_skill(own_skill_dir())
        assert image_name(skill, "train", DockerOptions()) == f"{TAO}-pyt"
        assert image_name(skill, "gen_trt_engine", DockerOptions()) == f"{TAO}-deploy"
        assert image_name(skill, "evaluate", DockerOptions(deploy=True)) == f"{TAO}-deploy"

    def test_the_image_of_a_skill_is_a_word_too(self) -> None:
        skill = replace(read_skill(own_skill_dir()), container_image="--privileged")
        with pytest.raises(FixInput, match="the image of a skill must be one word"):
            image_name(skill, "train", DockerOptions())

    def test_the_training_s_image_is_not_for_the_deploy_container(self) -> None:
        skill = read_skill(own_skill_dir())
        options = DockerOptions(image="mine:1", image_id="sha256:1", deploy_image="other:2")
        assert image_to_run(skill, "train", options) == "sha256:1"
        assert image_to_run(skill, "evaluate", options) == "sha256:1"
        assert image_to_run(skill, "gen_trt_engine", options) == "other:2"

    def test_an_image_is_known_by_its_id_or_by_a_registry_s_digest(self) -> None:
        known = {"id": "sha256:1", "digests": ["a@sha256:9"]}
        images = {
            "sha256:1": ([], True),
            "sha256:2": (["a@sha256:9", "b@sha256:8"], True),
            "sha256:3": (["b@sha256:8"], False),
        }
        for image, (digests, is_same) in images.items():
            now = Pinned({}, {"name": "a", "id": image, "digests": digests})
            assert now.is_same(known) is is_same


class TestContainer:
    LABELS = Labels("bikes", 3, 1, "/studies/bikes/trials/0003/1")

    def plan(self, **limits: Any) -> ContainerPlan:
        return ContainerPlan(
            *("image", ("run",), "name", self.LABELS, Mounts(())),
            workdir="/study",  # type: ignore[arg-type] # printed alone
            user="1:2",
            limits=ContainerLimits(shm_bytes=GIB, **limits),
            secrets=("TOKEN",),
        )

    def test_labels_come_back_and_hold_no_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOKEN", "hush-hush")
        options = create_options(self.plan())
        assert Labels.from_docker(options["labels"]) == self.LABELS
        assert "hush-hush" not in str(options["labels"])
        assert "hush-hush" in options["environment"].values()
        assert "hush-hush" not in self.plan().command_line()

    def test_a_shell_reads_every_word_of_the_command_line_as_it_is(self) -> None:
        odd = "a b;reboot $(id) `id` 'x' \"y\", *"
        mounts = Mounts((Mount(Path(f"/data/{odd}"), PurePosixPath("/inputs/x")),))
        plan = replace(
            self.plan(network="n;reboot", gpus=("0", "1")),
            image="i;reboot",
            command=("run", odd),
            mounts=mounts,
            environment={"A": odd},
            labels=replace(self.LABELS, folder=odd),
        )
        words = shlex.split(plan.command_line().replace("\\\n", ""))
        assert words[words.index("--network") + 1] == "n;reboot"
        assert words[words.index("--gpus") + 1] == '"device=0,1"'
        assert words[-3:] == ["i;reboot", "run", odd]
        assert f"A={odd}" in words
        assert f"automl.folder={odd}" in words
        (fields,) = csv.reader([words[words.index("--mount") + 1]])
        assert fields == ["type=bind", f"source=/data/{odd}", "target=/inputs/x", "readonly"]
        split = subprocess.run(
            ["sh", "-c", f"docker() {{ printf '%s\\0' \"$@\"; }}\n{plan.command_line()}"],
            capture_output=True,
            check=True,
        )
        assert split.stdout.decode().split("\0")[:-1] == words[1:]

    def test_labels_of_others_are_none_of_ours(self) -> None:
        assert Labels.from_docker({"com.docker.compose.project": "x"}) is None

    def test_limits_are_handed_on(self) -> None:
        options = create_options(self.plan(memory_bytes=5, pids=7, gpus=("1", "GPU-2")))
        # Without a limit on swap of its own a container may use as much of that again.
        assert (options["mem_limit"], options["memswap_limit"], options["pids_limit"]) == (5, 5, 7)
        (request,) = options["device_requests"]
        assert request["DeviceIDs"] == ["1", "GPU-2"]
        assert "NVIDIA_VISIBLE_DEVICES" not in options["environment"]

    def test_without_gpus_none_is_seen(self) -> None:
        options = create_options(self.plan())
        assert options["device_requests"] is None
        assert options["environment"]["NVIDIA_VISIBLE_DEVICES"] == "void"
