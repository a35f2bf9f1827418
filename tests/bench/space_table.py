"""What becomes of every leaf of some skills, and how long it takes, as tables.

    python tests/bench/space_table.py [SKILL_FOLDER ...] [--trials 1000]

Without folders the repository's own skill is taken. The second table is the seconds that one
proposal takes (drawn at random, and by TPE over a study of ``--trials`` trials) in the largest
space whose parameters follow one another.
"""

import argparse
import time
import warnings
from collections import Counter
from pathlib import Path

import optuna

from automl.search.sample import sample
from automl.skill.profile_file import load_profile
from automl.skill.read import (
    base_tree,
    own_skill_dir,
    profile_path,
    read_action_schema,
    read_skill,
)
from automl.space.build import build_space
from automl.space.model import SearchSpace
from automl.space.proposal import sampled, suggest
from automl.space.request import SpaceRequest


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("skills", nargs="*", type=Path)
    parser.add_argument("--trials", type=int, default=1000)
    arguments = parser.parse_args()
    spaces: dict[str, SearchSpace] = {}
    heads = ("searched", "fixed", "refused", "inert", "seconds")
    print(f"{'skill':32}{'space':9}{'leaves':>9}" + "".join(f"{head:>9}" for head in heads))
    for folder in [path.resolve() for path in arguments.skills] or [own_skill_dir()]:
        for name in ("default", "all"):
            spaces[f"{folder.name} {name}"] = _row(folder, name)
    _reasons(spaces)
    largest = max(spaces.values(), key=lambda space: (_linked(space) > 0, len(space.parameters)))
    _latency(largest, arguments.trials)


def _row(folder: Path, name: str) -> SearchSpace:
    begin = time.perf_counter()
    skill = read_skill(folder)
    schema = read_action_schema(skill, "train")
    profile = load_profile(profile_path(skill))
    space = build_space(schema, base_tree(skill, "train"), SpaceRequest(name), profile)
    seconds = time.perf_counter() - begin
    parts = (schema.leaves, space.parameters, space.fixed, space.refused, space.inert)
    counts = "".join(f"{len(part):9}" for part in parts)
    print(f"{folder.name:32}{name:9}{counts}{seconds:9.3f}")
    return space


def _linked(space: SearchSpace) -> int:
    """How many dimensions follow a parent."""
    return sum(bool(one.links) for one in sampled(space))


def _reasons(spaces: dict[str, SearchSpace]) -> None:
    counted = Counter(
        entry.reason.partition(";")[0]
        for name, space in spaces.items()
        if name.endswith(" all")
        for entry in space.refused
    )
    print("\nwhy leaves of the whole space are not searched")
    for reason, count in counted.most_common(20):
        print(f"{count:6}  {reason}")


def _latency(space: SearchSpace, trials: int) -> None:
    begin = time.perf_counter()
    sample(space, 500, seed=0)
    drawn = (time.perf_counter() - begin) / 500
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for number in range(trials):
        trial = study.ask()
        suggest(space, trial)
        study.tell(trial, float(number % 97))
    study.sampler = optuna.samplers.TPESampler(seed=0, multivariate=True, group=True)
    begin = time.perf_counter()
    for _ in range(5):
        trial = study.ask()
        suggest(space, trial)
        study.tell(trial, 0.5)
    learnt = (time.perf_counter() - begin) / 5
    linked = _linked(space)
    print(f"\n{len(space.parameters)} parameters, {linked} follow a parent")
    print(f"random draw {drawn:.5f} s, TPE at {trials} trials {learnt:.3f} s")


if __name__ == "__main__":
    main()
