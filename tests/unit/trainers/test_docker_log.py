"""A container's output reaches the log exactly once, and no secret with it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.trainers.docker.log import LogFile, Redactor

SECRET = "s3cr3t-value"  # noqa: S105 -- looked for, and must not be found


def written(path: Path, streams: list[list[bytes]], secrets: tuple[str, ...] = ()) -> bytes:
    """The log after several readings of the output, each from its start and each cut short."""
    path.unlink(missing_ok=True)
    log = LogFile(path, Redactor(secrets))
    for pieces in streams:
        log.reopen()
        for piece in pieces:
            log.take(piece)
    log.close()
    return path.read_bytes() if path.exists() else b""


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=4), st.integers(1, 7))
def test_a_broken_stream_goes_on_where_it_broke(
    tmp_path_factory: object, output: bytes, breaks: list[int], size: int
) -> None:
    path = Path("/tmp") / f"automl-log-{id(output)}"  # noqa: S108 -- hypothesis has no tmp_path
    whole = [output[start : start + size] for start in range(0, len(output), size)]
    cut = [[output[:length][i : i + size] for i in range(0, length, size)] for length in breaks]
    try:
        assert written(path, [*cut, whole]) == output
    finally:
        path.unlink(missing_ok=True)


def test_secrets_are_blotted_out_wherever_the_pieces_are_cut(tmp_path: Path) -> None:
    output = f"key={SECRET}\nbar {SECRET}\rdone".encode()
    for size in (1, 3, 7, 50):
        pieces = [output[start : start + size] for start in range(0, len(output), size)]
        log = written(tmp_path / "log", [pieces], (SECRET,))
        assert log == output.replace(SECRET.encode(), b"*" * len(SECRET))


def test_each_line_of_a_secret_counts_and_short_ones_do_not(tmp_path: Path) -> None:
    log = written(
        tmp_path / "log",
        [[b"one first-line two second-line no\n"]],
        ("first-line\nsecond-line", "no", ""),
    )
    assert log == b"one ********** two *********** no\n"


def test_a_last_word_follows_what_was_held_back(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log", Redactor(()))
    log.reopen()
    log.take(b"unfinished")
    log.close("automl: why")
    assert (tmp_path / "log").read_text() == "unfinishedautoml: why\n"


@pytest.mark.timeout(10)
@pytest.mark.parametrize("kind", ["link", "dead link", "pipe"])
def test_what_a_container_puts_in_the_place_of_its_log_is_not_written_to(
    tmp_path: Path, kind: str
) -> None:
    outside, path = tmp_path / "outside.txt", tmp_path / "log.txt"
    if kind == "link":
        outside.write_text("mine")
    log = LogFile(path, Redactor(()))
    log.take(b"first\n")
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(outside)
    log.take(b"second\n")
    log.close()
    assert path.read_text() == "automl: log.txt had been replaced; it starts again\nsecond\n"
    assert not path.is_symlink()
    assert (outside.read_text() if kind == "link" else not outside.exists()) in ("mine", True)
    log.reopen()
