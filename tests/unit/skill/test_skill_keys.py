"""Which settings of a network mean what, found by rules and by what a profile says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from automl.errors import FixInput
from automl.skill.key_overrides import declared_keys
from automl.skill.keys import KeyHints, NetworkKeys, find_keys
from automl.skill.read import own_skill_dir, read_skill

MakeSkill = Callable[..., Path]

PROFILE = "references/search_profile.yaml"


def test_names_that_networks_use_are_found_wherever_they_lie() -> None:
    keys = find_keys(
        "train",
        [
            *("train.epoch", "validation.freq_in_epoch", "train.ckpt.save_freq_in_epoch"),
            *("data.test.batch_size", "data.train.batch_size", "data.val.batch_size"),
            *("data.val.num_workers", "data.train.num_workers", "data.seed", "train.seed"),
            *("train.optm_lr", "solver.milestones"),
        ],
    )
    assert keys == NetworkKeys(
        epochs="train.epoch",
        validation_interval="validation.freq_in_epoch",
        checkpoint_interval="train.ckpt.save_freq_in_epoch",
        batch_sizes=("data.train.batch_size", "data.test.batch_size", "data.val.batch_size"),
        workers="data.train.num_workers",
        seed="train.seed",
        optimizer="train.optm_",
        milestones=("solver.milestones",),
        results=("results_dir",),
    )
    assert keys.batch == "data.train.batch_size"
    assert keys.once == (
        *("train.epoch", "validation.freq_in_epoch", "train.ckpt.save_freq_in_epoch"),
    )


def test_the_better_name_wins_and_other_actions_keep_their_own() -> None:
    settings = ["evaluate.batch_size", "evaluate.num_gpus", "num_epochs", "train.max_epochs"]
    assert find_keys("train", settings).epochs == "num_epochs"
    assert find_keys("train", settings).batch_sizes == ()
    assert find_keys("train", settings).gpus == ""
    assert find_keys("evaluate", settings).batch == "evaluate.batch_size"
    assert find_keys("evaluate", settings).gpus == "evaluate.num_gpus"


def test_metadata_is_trusted_where_it_names_a_setting_that_exists() -> None:
    settings = ["train.num_gpus", "policy.shards", "train.rounds", "train.num_epochs"]
    hints = KeyHints(
        gpus="policy.shards", nodes="policy.gone", short={"num_epochs": "train.rounds"}
    )
    keys = find_keys("train", settings, hints)
    assert (keys.gpus, keys.nodes, keys.epochs) == ("policy.shards", "", "train.rounds")


def test_inferred_settings_take_results_and_checkpoints() -> None:
    inferred = {"train.out": "output_dir", "train.resume": "resume_model", "key": "key"}
    keys = find_keys("train", ["results_dir", "train.out"], KeyHints(inferred=inferred))
    assert (keys.results, keys.resume, keys.weights) == (("train.out",), ("train.resume",), ())


def test_the_folder_of_the_action_wins_over_the_shared_one() -> None:
    settings = ["results_dir", "train.results_dir", "quantize.results_dir"]
    assert find_keys("train", settings).results == ("results_dir", "train.results_dir")


def test_keys_survive_their_plain_form() -> None:
    keys = read_skill(own_skill_dir()).keys
    assert NetworkKeys.from_json({**keys.to_json(), "role_of_tomorrow": "a.b"}) == keys
    assert NetworkKeys().to_json() == {}


def test_a_profile_overrules_the_rules(make_skill: MakeSkill) -> None:
    block = "{epochs: model.kernel, gpu_ids: null, milestones: [model.sources]}"
    keys = read_skill(make_skill(more={PROFILE: f"keys: {block}\n"})).keys
    assert (keys.epochs, keys.gpu_ids, keys.optimizer) == ("model.kernel", "", "train.optim.")
    assert keys.milestones == ("model.sources",)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("[epochs]", "mapping of roles"),
        ("{epoch: train.num_epochs}", "'epoch'.*did you mean epochs"),
        ("{epochs: [train.num_epochs]}", "one dotted key"),
        ("{batch_sizes: [1]}", "list of dotted keys"),
        ("{epochs: train.num_epoch}", "keys.epochs.*did you mean train.num_epochs"),
        ("{optimizer: train.optimizer.}", "train schema, but got train.optimizer."),
    ],
)
def test_a_broken_block_of_keys_is_refused(make_skill: MakeSkill, block: str, words: str) -> None:
    folder = make_skill(more={PROFILE: f"keys: {block}\n"})
    with pytest.raises(FixInput, match=words) as caught:
        read_skill(folder)
    assert PROFILE in caught.value.where


def test_without_a_schema_the_template_says_which_keys_there_are(make_skill: MakeSkill) -> None:
    folder = make_skill(schema="{", template="train: {epochs: 3, seed: 1}\n")
    keys = read_skill(folder).keys
    assert (keys.epochs, keys.seed) == ("train.epochs", "train.seed")


def test_null_and_one_key_for_a_role_of_several() -> None:
    declared = declared_keys({"resume": "train.go_on", "seed": None}, "here")
    assert declared == {"resume": ("train.go_on",), "seed": ()}
