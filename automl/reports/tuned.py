"""What ``automl tune-inference`` found for a study, in one sentence."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from automl.jsontext import read_json
from automl.study.actions import read_actions
from automl.study.layout import StudyPaths

__all__ = ["tuned_lines"]

_ACTION, _RESULT = "tune_inference", "tuned.json"


def tuned_lines(folder: Path) -> tuple[str, ...]:
    """A sentence on each checkpoint whose settings of decoding were searched, the newest first.

    Args:
        folder: The study's.
    """
    return tuple(_lines(StudyPaths(folder)))[::-1]


def _lines(paths: StudyPaths) -> Iterator[str]:
    for made, record in read_actions(paths.actions):
        if record.action != _ACTION or not record.ok:
            continue
        try:
            found: Mapping[str, Any] = read_json(made / _RESULT, finite=True, follow=False)
            text = _sentence(found)
        except (OSError, KeyError, TypeError, ValueError):
            continue
        trial = "" if record.origin.trial is None else f"trial {record.origin.trial}: "
        yield f"{trial}{text}; {paths.relative(made)}/tuned.yaml"


def _sentence(found: Mapping[str, Any]) -> str:
    default, best, test = found["default"], found["best"], found["test"]
    if best == default:
        return "no other settings of decoding are better on the validation images"
    text = (
        f"threshold {best['visualization_threshold']:g} and {best['num_select']} peaks score "
        f"{best['ap']:.4f} on the validation images, the spec's own {default['ap']:.4f} (AP at 3D "
        f"IoU 0.5, an object being found once)"
    )
    if test is None:
        return f"{text}; not confirmed on test images"
    gain = f"{test['gain']:+.4f} on {test['n_images']} test images"
    if test["low"] is None:
        return f"{text}; {gain}"
    return f"{text}; {gain}, 95 % interval {test['low']:+.4f} to {test['high']:+.4f}"
