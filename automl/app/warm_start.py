"""``--warm-start``: the trials of earlier studies, as far as they tell something of this one."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from automl.data.checks import SplitFacts
from automl.data.split_digest import split_digest
from automl.errors import FixInput, ResolveConflict
from automl.reports import words
from automl.skill.tree import ParamValue, Tree, get, leaves
from automl.space.model import SearchSpace
from automl.space.proposal import is_legal
from automl.study.choice import find_study
from automl.study.config import Objective, StudyConfig
from automl.study.earlier import Earlier, EarlierStudy, EarlierTrial
from automl.study.folder import read_base_spec, read_config, read_provenance
from automl.study.layout import StudyPaths
from automl.study.records import TrialRecord, TrialState
from automl.study.storage import read_study
from automl.study.trials import read_records

__all__ = ["WarmStart", "take_earlier"]

_FLAG = "--warm-start"
#: Noise of a trial that had a setting, fixed here at another value: this share of the spread.
_DOUBT = 0.5
_MOST_NAMED = 3
#: Splits whose data must be the same for two objectives to be comparable.
_SPLITS = ("train", "val")


@dataclass(frozen=True, slots=True)
class WarmStart:
    """What is asked for, and what it is for.

    Attributes:
        names: Studies by name or folder.
        accept_drift: Whether studies of other data are taken too.
        studies_dir: Where studies are kept.
        objective: Metric and direction of this study.
        space: What it searches.
        base: Its base spec.
        data: What its splits hold.
        is_fake: Whether a script makes its numbers up.
    """

    names: Sequence[str]
    accept_drift: bool
    studies_dir: Path
    objective: Objective
    space: SearchSpace
    base: Tree
    data: Mapping[str, SplitFacts]
    is_fake: bool = False


def take_earlier(asked: WarmStart) -> Earlier:
    """The trials of earlier studies as knowledge about this one.

    Raises:
        FixInput: A study is not there, has another metric, or holds nothing that can be used.
        ResolveConflict: It was trained on other data.
    """
    found = [_take(asked, name) for name in asked.names]
    trials = tuple(trial for _, taken in found for trial in taken)
    return Earlier(tuple(study for study, _ in found), trials)


def _take(asked: WarmStart, name: str) -> tuple[EarlierStudy, tuple[EarlierTrial, ...]]:
    paths = find_study(asked.studies_dir, name)
    config = read_config(paths)
    _check_metric(asked, config, paths)
    other_data = "; ".join(_other_data(asked, paths))
    if other_data and not asked.accept_drift:
        raise ResolveConflict(
            "what an earlier study found holds for the data that it was trained on",
            got=f"other data: {other_data}",
            where=f"{_FLAG} {name}",
            fix="leave it out, or take it all the same with --accept-drift",
        )
    base = read_base_spec(paths)
    study = read_study(paths, config)
    records = read_records(study, config.objective) if study is not None else ()
    default = _default(records, paths)
    matched = _Matched.of(asked, base, paths.folder.name)
    taken, left_out = matched.trials(records, default)
    if not taken:
        why = ", ".join(f"{n} {reason}" for reason, n in left_out.items())
        raise FixInput(
            "an earlier study must have trials that fit into this one's space",
            got=f"none of {words.count(len(records), 'trial')}: {why or 'none has ended'}",
            where=f"{_FLAG} {name}",
            fix="leave it out, or widen a range with --search KEY=RANGE",
        )
    summary = EarlierStudy(
        paths.folder.name,
        str(paths.folder),
        default,
        len(taken),
        dict(left_out),
        other_data,
        tuple(_differing(asked, base)),
    )
    return summary, taken


def _check_metric(asked: WarmStart, config: StudyConfig, paths: StudyPaths) -> None:
    theirs, ours = config.objective, asked.objective
    if (theirs.metric, theirs.direction) != (ours.metric, ours.direction):
        raise FixInput(
            "an earlier study must have the metric of this one",
            got=f"{theirs.direction} {theirs.metric}, here {ours.direction} {ours.metric}",
            where=f"{_FLAG} {paths.folder.name}",
            fix="name a study of the same metric",
        )
    if config.is_fake and not asked.is_fake:
        raise FixInput(
            "an earlier study must have trained",
            got="numbers that a script made up",
            where=f"{_FLAG} {paths.folder.name}",
            fix="name a study whose trainer is process or docker",
        )


def _other_data(asked: WarmStart, paths: StudyPaths) -> Iterator[str]:
    """What differs between the data of two studies."""
    record: Mapping[str, Any] = read_provenance(paths).get("data", {})
    for split in _SPLITS:
        facts, theirs = asked.data.get(split), record.get(split, {})
        if facts is None or not theirs:
            continue
        if theirs.get("images") != facts.images:
            yield f"{split} {theirs.get('images')} images, here {facts.images}"
        elif not _is_same(facts, theirs):
            yield f"{split} files other than those of {facts.root}"


def _is_same(facts: SplitFacts, theirs: Mapping[str, Any]) -> bool:
    folder = Path(str(theirs.get("folder", "")))
    known = theirs.get("digest") or split_digest(folder)
    return (folder == facts.root and not known) or known == split_digest(facts.root)


def _default(records: Sequence[TrialRecord], paths: StudyPaths) -> float:
    """The objective of a study's default, over all its seeds."""
    values = [
        each.best_value
        for each in records
        if (each.number == 0 or each.confirms == 0) and each.is_usable
    ]
    known = [value for value in values if value is not None]
    if not known:
        raise FixInput(
            "an earlier study must have trained its default, which its trials are compared to",
            got="no default that ended well",
            where=f"{_FLAG} {paths.folder.name}",
            fix="leave it out",
        )
    return fmean(known)


def _differing(asked: WarmStart, base: Tree) -> Iterator[str]:
    """Settings that are fixed in both studies at other values, but for folders and files."""
    ours, theirs = dict(leaves(asked.base)), dict(leaves(base))
    keys = [
        key
        for key in sorted(ours.keys() & theirs.keys())
        if ours[key] != theirs[key] and key not in asked.space.keys and not _is_path(ours[key])
    ]
    for key in keys[:_MOST_NAMED]:
        yield f"{key} {words.param(theirs[key])} (here {words.param(ours[key])})"
    if len(keys) > _MOST_NAMED:
        yield f"{len(keys) - _MOST_NAMED} more"


def _is_path(value: object) -> bool:
    return isinstance(value, str) and "/" in value


@dataclass(frozen=True, slots=True)
class _Matched:
    """Trials of an earlier study in the settings of this one.

    Attributes:
        name: The study.
        space: What this study searches.
        ours: Its base spec.
        theirs: That of the earlier one.
    """

    name: str
    space: SearchSpace
    ours: Tree
    theirs: Tree

    @classmethod
    def of(cls, asked: WarmStart, base: Tree, name: str) -> "_Matched":
        return cls(name, asked.space, asked.base, base)

    def trials(
        self, records: Sequence[TrialRecord], default: float
    ) -> tuple[tuple[EarlierTrial, ...], Counter[str]]:
        """Those that fit, and why the others do not, to how many."""
        left_out: Counter[str] = Counter()
        fitting = []
        for record in records:
            if record.confirms is not None:
                continue
            why = _unusable(record) or self._misfit(record)
            if why:
                left_out[why] += 1
            else:
                fitting.append((record, _value(record, records) - default))
        spread = pstdev([gain for _, gain in fitting]) if fitting else 0.0
        taken = (
            EarlierTrial(
                self.name,
                record.number,
                self._params(record),
                gain,
                _DOUBT * spread * math.sqrt(self._n_doubtful(record)),
            )
            for record, gain in fitting
        )
        return tuple(taken), left_out

    def _params(self, record: TrialRecord) -> dict[str, ParamValue]:
        """The trial's value of each setting that is searched here, else what it was fixed at."""
        return {
            key: record.params.get(key, get(self.theirs, key, None)) for key in self.space.keys
        }

    def _misfit(self, record: TrialRecord) -> str:
        legal = is_legal(self.space, self._params(record))
        keys = [key for key, fits in legal.items() if not fits]
        return f"outside this space in {keys[0]}" if keys else ""

    def _n_doubtful(self, record: TrialRecord) -> int:
        """Settings that were searched there and are fixed here at another value than it had."""
        return sum(
            key not in self.space.keys and get(self.ours, key, None) != value
            for key, value in record.params.items()
        )


def _unusable(record: TrialRecord) -> str:
    if record.state is TrialState.FAILED:
        return "failed"
    if record.state in (TrialState.PRUNED, TrialState.PAUSED):
        return "stopped early"
    return "" if record.is_usable else "not ended"


def _value(record: TrialRecord, records: Sequence[TrialRecord]) -> float:
    """The mean of a trial's objective over all seeds that it was trained with."""
    seeds = [each for each in records if each.confirms == record.number and each.is_usable]
    return fmean(each.best_value or 0.0 for each in (record, *seeds))
