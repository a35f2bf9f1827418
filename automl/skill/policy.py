"""Whether a run searches: the policy and where it came from, and the gate of the skill.

The policy holds for one run; it never changes what a skill says of itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from automl.errors import FixInput
from automl.skill.model import Skill
from automl.skill.read import read_action_schema, read_template
from automl.skill.request_words import Reading, read_request

__all__ = ["Gate", "Policy", "PolicyChoice", "choose_policy", "gate", "obstacles", "policy_of"]

_WORDS = {"on": "on", "true": "on", "yes": "on", "off": "off", "false": "off", "no": "off"}


class Policy(StrEnum):
    """Whether this run may search."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class PolicyChoice:
    """A policy and its source.

    Attributes:
        value: The policy.
        source: ``--policy``, ``study file``, ``request: "<words>"`` or ``default``.
        overruled: The sources that say otherwise and come after ``source``.
        remarks: What of the request was not understood, or contradicts itself.
    """

    value: Policy
    source: str
    overruled: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What to report where another source says otherwise, or a request is not clear."""
        if not self.overruled:
            return self.remarks
        others = " and ".join(self.overruled)
        return (f"the policy is {self.value}: {self.source} wins over {others}", *self.remarks)


@dataclass(frozen=True, slots=True)
class Gate:
    """What a run will do under its policy and its skill.

    Attributes:
        searches: True for a search, False for one direct training.
        message: Why, as one or two sentences for the plan.
        problems: What stands in the way of a search that the skill allows; empty otherwise.
    """

    searches: bool
    message: str
    problems: tuple[str, ...] = ()


def choose_policy(said: Sequence[tuple[str, Policy]], request: str | None) -> PolicyChoice:
    """The policy of a run; the first source that says something wins.

    Args:
        said: What flag and study file say: source and policy, the one that wins first.
        request: What the user asked for in plain words; comes after them.
    """
    choices = [PolicyChoice(policy, source) for source, policy in said]
    reading = read_request(request or "")
    if reading.statement is not None:
        value = Policy.ON if reading.statement.searches else Policy.OFF
        choices.append(PolicyChoice(value, f'request: "{reading.statement.words}"'))
    choices.append(PolicyChoice(Policy.ON, "default"))
    first, *rest = choices
    others = tuple(choice.source for choice in rest[:-1] if choice.value is not first.value)
    return replace(first, overruled=others, remarks=tuple(_remarks(reading, first)))


def _remarks(reading: Reading, choice: PolicyChoice) -> Iterator[str]:
    """What a reader should know of how a request was read."""
    statement, against = reading.statement, reading.against
    if statement is not None and against is not None:
        yield (
            f"the request contradicts itself: {against.said}, then {statement.said}; "
            "the last one counts"
        )
    if reading.unclear:
        yield (
            f'the request speaks of "{reading.unclear}", but no order for or against a search '
            f"was understood: the policy is {choice.value} (from {choice.source}); "
            "--policy on or --policy off decides"
        )


def policy_of(value: Any, where: str) -> Policy:
    """The policy that a word, or YAML's true or false, stands for.

    Raises:
        FixInput: It is neither on nor off.
    """
    word = _WORDS.get(str(value).strip().lower()) if isinstance(value, str | bool) else None
    if word is None:
        raise FixInput("the policy must be on or off", got=repr(value), where=where)
    return Policy(word)


def gate(skill: Skill, policy: Policy) -> Gate:
    """Whether a run searches; a search needs a train schema and a train template that parse."""
    if policy is Policy.OFF:
        return Gate(False, "AutoML is off for this run: one direct training.")
    if not skill.automl_enabled:
        return Gate(
            False,
            f"AutoML is not enabled for {skill.name} (automl_enabled in "
            "references/skill_info.yaml): one direct training.",
        )
    problems = tuple(obstacles(skill))
    if problems:
        return Gate(
            False,
            f"AutoML is enabled for {skill.name}, but not runnable until its schemas are "
            f"generated: {'; '.join(problems)}. One direct training instead.",
            problems,
        )
    return Gate(True, f"AutoML is on for {skill.name}: a hyperparameter search.")


def obstacles(skill: Skill) -> list[str]:
    """What is missing or broken of the two files that a search needs; empty if nothing is."""
    problems = []
    for path, read in (
        (skill.schema_path("train"), read_action_schema),
        (skill.template_path("train"), read_template),
    ):
        name = path.relative_to(skill.folder)
        if not path.is_file():
            problems.append(f"{name} is missing")
            continue
        try:
            read(skill, "train")
        except FixInput as error:
            problems.append(f"{name} is broken ({error})")
    return problems
