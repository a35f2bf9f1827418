"""The GPUs of one training, as its spec has them."""

from collections.abc import Mapping
from typing import Any

from automl.errors import FixInput
from automl.skill.tree import Tree
from automl.spec.rules import SpecRules
from automl.spec.sources import with_settings

__all__ = ["gpus_of", "with_gpus"]


def gpus_of(
    rules: SpecRules, overrides: Mapping[str, Any], by_flag: int | None, where: str
) -> int | None:
    """GPUs of one training, by flag or by key; None where neither says.

    Args:
        rules: What the spec may hold.
        overrides: What the user set by key.
        by_flag: The number that a flag or the study file gives; None or 0 for none.
        where: What to call the overrides in an error.

    Raises:
        FixInput: Both are given and differ; or ids are given, which every trial counts from 0.
    """
    number, ids = rules.keys.gpus, rules.keys.gpu_ids
    asked = overrides.get(number)
    count = asked if isinstance(asked, int) else by_flag
    if by_flag and count != by_flag:
        raise FixInput(
            "a training must have one number of GPUs",
            got=f"--gpus-per-trial {by_flag} and {number} = {asked}",
            where=where,
            fix="drop one of them",
        )
    if ids in overrides and overrides[ids] != list(range(count or 1)):
        raise FixInput(
            "a trial sees its own GPUs alone, and must count them from 0",
            got=f"{ids} = {overrides[ids]}",
            where=where,
            fix="choose the study's GPUs with --gpus, and their number with --gpus-per-trial",
        )
    return count


def with_gpus(rules: SpecRules, tree: Mapping[str, Any], gpus: int | None) -> Tree:
    """The spec for a training on ``gpus`` GPUs: their number, and ids counted from 0.

    None and 0 leave the spec alone: the schema knows no training without a GPU, and a trainer on
    the CPU does not look.
    """
    number, ids = rules.keys.gpus, rules.keys.gpu_ids
    settings: dict[str, Any] = {}
    if gpus and number:
        settings[number] = gpus
    if gpus and ids:
        settings[ids] = list(range(gpus))
    return with_settings(tree, settings, "--gpus-per-trial")
