"""Images of one split that lie in another as well, or nearly so, as findings."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from automl.data.layout import list_frames
from automl.data.suspects.finding import Certainty, Finding, FindingKind
from automl.data.suspects.fingerprint import Fingerprints, fingerprints
from automl.data.suspects.near import SAME, LikePair, near_pairs

__all__ = ["find_leaks"]

_FIX = "take one of them out; all frames of one recording belong into one split"


def find_leaks(
    root: Path, others: Sequence[Path], threads: int, tell: Callable[[int, int], None]
) -> list[Finding]:
    """Images of a split that are, or nearly are, images of another one.

    Frames of one recording look alike and lie side by side in one split, which is no fault; so
    only images of different splits are compared.

    Args:
        root: Folder of the split.
        others: Folders of the other splits.
        threads: Threads that decode.
        tell: Called with how many images are read, and of how many.

    Raises:
        FixData: A folder is no split.
        InstallExtra: OpenCV is not installed.
    """
    frames = [list_frames(each, annotated=False) for each in (root, *others)]
    total = sum(len(each) for each in frames)
    prints = []
    for k, listed in enumerate(frames):
        done = sum(len(each) for each in frames[:k])

        def say(number: int, _: int, done: int = done) -> None:
            tell(done + number, total)

        prints.append(fingerprints([frame.image for frame in listed], threads, say))
    own = prints[0]
    return [
        finding
        for other in prints[1:]
        for finding in _findings(other, own, near_pairs(other, own))
    ]


def _findings(
    other: Fingerprints, own: Fingerprints, pairs: Sequence[LikePair]
) -> Iterator[Finding]:
    for pair in pairs:
        theirs, ours = other.paths[pair.first], own.paths[pair.second]
        what, certainty = _words(pair, theirs, ours)
        yield Finding(
            FindingKind.LEAK, ours, f"{what} {theirs}", certainty, _FIX, -pair.difference,
            other=theirs,
        )  # fmt: skip


def _words(pair: LikePair, one: Path, two: Path) -> tuple[str, Certainty]:
    if pair.difference == 0.0 and one.read_bytes() == two.read_bytes():
        return "it is the same file as", Certainty.SURE
    if pair.difference <= SAME:
        return "it is the same picture, stored anew, as", Certainty.SURE
    return "it shows nearly the same, as neighbouring frames do, as", Certainty.LIKELY
