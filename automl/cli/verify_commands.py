"""What ``automl export --verify`` does after the export, and what it says."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from automl.cli.paths import shown
from automl.errors import NoUsableTrial

if TYPE_CHECKING:
    from automl.app.act import ActPlan
    from automl.app.verify_export import Verified, Verifying

__all__ = ["exit_code", "planned_verifying", "verified_by", "verified_lines"]

#: The exit code of poses that differ.
DIFFERS = 6
_LABEL = 10
_WIDTH = 100
_ASKING = ("verify", "verify_images", "verify_engine", "verify_tolerance")


def planned_verifying(plan: "ActPlan", arguments: argparse.Namespace) -> "Verifying | None":
    """What will be compared once the export is written; None where nobody asks for it.

    Raises:
        FixInput: It cannot be compared as asked; said before anything is exported.
    """
    if not any(getattr(arguments, name, None) for name in _ASKING):
        return None
    from automl.app.verify_export import VerifyRequest, plan_verifying

    request = VerifyRequest(
        arguments.verify_images,
        arguments.verify_engine,
        arguments.verify_tolerance or "",
        arguments.val_data,
    )
    return plan_verifying(plan, request)


def verified_by(verifying: "Verifying | None", *, as_json: bool) -> "Verified | None":
    """Compares, and says on the screen what was found."""
    if verifying is None:
        return None
    from automl.app.verify_export import verify

    log = shown(verifying.plan.folder / "log.txt")
    print(f"verify: log {log}", file=sys.stderr)
    verified = verify(verifying)
    if not as_json:
        for line in verified_lines(verified, verifying.plan.folder):
            print(line)
    return verified


def exit_code(verified: "Verified") -> int:
    """0 for the same poses, 6 for others, 4 where the comparison failed; said on stderr."""
    if verified.table is None:
        print(f"error: verify failed: {verified.record.evidence}", file=sys.stderr)
        return NoUsableTrial.exit_code
    if verified.is_same:
        return 0
    print(
        "error: the exported network's poses differ from the checkpoint's by more than rounding",
        file=sys.stderr,
    )
    return DIFFERS


def verified_lines(verified: "Verified", folder: Path) -> Iterator[str]:
    """What was compared, how far apart it is, and how the images were prepared."""
    from automl.reports.parity import difference_lines, preparation

    table = verified.table
    if table is None:
        return
    state = "the same poses as" if table["within"] else "poses DIFFER from those of"
    images = f"{table['n_images']} of {table['n_all']} validation images"
    yield f"verify: {state} {table['reference']} on {images}, {table['seconds']:.1f} s"
    for name, each in table["compared"].items():
        yield from _lines(name, each["runtime"])
        for text in difference_lines(each):
            yield from _lines("", text)
    for name, why in table["left_out"].items():
        yield from _lines(name, f"not compared: {why}")
    limits = table["tolerance"]
    if table["threshold"] != table["threshold_of_spec"]:
        least = f"no score reaches the spec's {table['threshold_of_spec']:g}"
        yield from _lines("threshold", f"{table['threshold']:.2g}: {least}")
    rounding = f"{limits['pixel']:g} px, {limits['angle']:g} degrees, {limits['distance']:g} %"
    yield from _lines("tolerance", f"{rounding} of the distance")
    yield from _lines("input", preparation(table["input"]))
    yield from _lines("written", str(shown(folder / "parity.json")))


def _lines(label: str, text: str) -> Iterator[str]:
    for i, part in enumerate(wrap(text, _WIDTH - _LABEL - 3, break_long_words=False)):
        yield f"  {('' if i else label).ljust(_LABEL)} {part}"
