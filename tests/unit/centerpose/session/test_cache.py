"""What outlives a training: how long, and what goes when memory is short."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from automl.centerpose.program import warm
from automl.centerpose.program.serve import Job, TrainingEnd
from automl.centerpose.program.warm import CachedTrainings
from automl.centerpose.session.cache import MAX_ENTRIES, Cache
from automl.centerpose.session.interrupt import Interrupt
from automl.errors import FixInput
from tests.unit.centerpose.conftest import SpecWriter


class Short:
    """Memory that is short until so many things have gone."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self) -> bool:
        self.left -= 1
        return self.left >= 0


def made_again() -> object:
    raise AssertionError("it was cached")


class TestKept:
    def test_a_thing_is_made_once(self) -> None:
        cache, made = Cache(lambda: False), []
        for _ in range(2):
            cache.begin()
            cache.get("a", lambda: made.append(1))
        assert made == [1]

    def test_what_was_used_least_recently_goes_first(self) -> None:
        short = Short()
        cache = Cache(short)
        for key in ("a", "b", "c"):
            cache.begin()
            cache.get(key, object)
        cache.begin()
        cache.get("a", made_again)
        cache.begin()
        short.left = 2
        cache.get("d", object)
        assert len(cache) == 2
        cache.begin()
        cache.get("a", made_again)

    def test_what_the_training_uses_stays_however_short_memory_is(self) -> None:
        cache = Cache(lambda: True)
        cache.begin()
        first = cache.get("data", object)
        cache.get("network", object)
        assert cache.get("data", object) is first
        assert not cache.has_unused

    def test_there_is_a_most(self) -> None:
        cache = Cache(lambda: False)
        for number in range(2 * MAX_ENTRIES):
            cache.begin()
            cache.get(number, object)
        assert len(cache) == MAX_ENTRIES


class TestOutOfMemory:
    """The GPU's memory does not suffice for a training beside what earlier ones have left."""

    @pytest.fixture
    def run(
        self, spec_tree: dict[str, Any], write_spec: SpecWriter, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., tuple[TrainingEnd, list[int]]]:
        spec = write_spec(spec_tree)

        def run(*errors: Exception | None, left: bool) -> tuple[TrainingEnd, list[int]]:
            trainings, seen, endings = CachedTrainings(), list[int](), iter(errors)
            if left:
                trainings.cache.get("of an earlier training", object)

            def train(spec: object, run: object, cache: Cache) -> None:
                seen.append(len(cache))
                error = next(endings)
                if error is not None:
                    raise error

            monkeypatch.setattr(warm, "train_on_its_devices", train)
            return trainings(Job(1, str(spec)), Interrupt()), seen

        return run

    def test_it_is_tried_again_without_that(self, run: Any) -> None:
        ended, seen = run(torch.OutOfMemoryError("CUDA out of memory"), None, left=True)
        assert (ended.exit_code, ended.reusable, seen) == (0, True, [1, 0])

    def test_it_fails_where_nothing_was_left(self, run: Any) -> None:
        ended, seen = run(torch.OutOfMemoryError("CUDA out of memory"), left=False)
        assert (ended.exit_code, ended.reusable, seen) == (1, False, [0])

    def test_it_fails_the_second_time(self, run: Any) -> None:
        error = torch.OutOfMemoryError("CUDA out of memory")
        ended, seen = run(error, error, left=True)
        assert (ended.exit_code, ended.reusable, seen) == (1, False, [1, 0])

    @pytest.mark.parametrize(
        ("error", "reusable"),
        [
            (FixInput("a mistake"), True),
            (NotImplementedError("not here"), True),
            (ValueError("too few images"), True),
            (RuntimeError("CUDA error: device-side assert triggered"), False),
            (MemoryError(), False),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_only_a_mistake_in_the_spec_leaves_the_process_as_it_was(
        self, run: Any, error: Exception, reusable: bool
    ) -> None:
        ended, _ = run(error, left=False)
        assert (ended.exit_code, ended.reusable) == (1, reusable)


def test_a_spec_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    ended = CachedTrainings()(Job(1, str(tmp_path / "none.yaml")), Interrupt())
    assert (ended.exit_code, ended.reusable) == (1, True)
