"""What a skill asks of whoever runs it: credentials, machines, resources."""

import os
from collections.abc import Iterator, Mapping

from automl.checkup import Check, Result
from automl.skill.model import Skill
from automl.study.config import StudyConfig
from automl.trainers.table import trainer_entry

__all__ = ["check_credentials", "skill_facts"]


def skill_facts(
    skill: Skill, config: StudyConfig, environment: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """What a reader of a plan should know of it, as sentences; no secret is ever in them.

    Args:
        skill: The skill.
        config: The study; says how trainings are started.
        environment: Where credentials are looked for.
    """
    for name in skill.credentials:
        yield f"the skill needs {name}: {_state(name, config, environment)}"
    if skill.node_key:
        yield f"{skill.node_key} is the number of machines of one training: here it is one"
    if skill.resources:
        asked = ", ".join(f"{name} {value}" for name, value in skill.resources.items())
        yield f"the skill asks for {asked}"


def check_credentials(
    skill: Skill, config: StudyConfig, environment: Mapping[str, str] = os.environ
) -> Iterator[Check]:
    """The credentials of a skill as lines of a check-up."""
    for name in skill.credentials:
        is_set = bool(environment.get(name))
        fix = "" if is_set else f"export {name}=..., before automl starts"
        result = Result.OK if is_set else Result.FAIL
        yield Check("credentials", result, f"{name} {_state(name, config, environment)}", fix)


def _state(name: str, config: StudyConfig, environment: Mapping[str, str]) -> str:
    if not environment.get(name):
        return "not set"
    passed = config.trainer_options.get("env", ())
    if trainer_entry(config.trainer).container is None or name in passed:
        return "set"
    return f"set; --env {name} passes it on to the containers"
