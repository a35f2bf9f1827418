"""What others may have put into a folder is not followed, not waited for and not written to."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from automl.errors import FixInput
from automl.files import write_json, write_text
from automl.inside import held, open_file, read_file, writable
from automl.jsontext import read_json


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that nothing may touch."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_APPEND, os.O_RDWR])
def test_a_link_is_not_opened(root: Path, outside: Path, flags: int) -> None:
    link = root / "log.txt"
    link.symlink_to(outside / "mine.txt")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        open_file(link, flags)
    os.close(open_file(link, flags, follow=True))


@pytest.mark.timeout(10)
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY])
def test_a_pipe_is_not_waited_for(root: Path, flags: int) -> None:
    os.mkfifo(root / "status.json")
    with pytest.raises(OSError, match=r"no regular file|No such device"):
        open_file(root / "status.json", flags)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/proc"])
def test_a_device_or_a_folder_is_not_read(path: str) -> None:
    with pytest.raises(OSError, match="no regular file"):
        read_file(Path(path))
    with pytest.raises(ValueError, match="no regular file"):
        read_json(Path(path))


def test_what_is_written_is_named_when_a_link_stands_there(root: Path, outside: Path) -> None:
    (root / "driver.lock").symlink_to(outside / "mine.txt")
    with pytest.raises(FixInput, match=r"not links.*a link to .*mine\.txt.*driver\.lock"):
        writable(root / "driver.lock", os.O_RDWR)


def test_a_link_to_a_file_is_replaced_and_its_target_left(root: Path, outside: Path) -> None:
    (root / "state.json").symlink_to(outside / "mine.txt")
    write_json(root / "state.json", {"a": 1}, root)
    assert not (root / "state.json").is_symlink()
    assert (outside / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("below", [".", "deep/er"])
def test_nothing_is_written_through_a_linked_folder(root: Path, outside: Path, below: str) -> None:
    (root / "best").symlink_to(outside)
    with pytest.raises(FixInput, match="not links"):
        write_text(root / "best" / below / "mine.txt", "yours", root)
    assert sorted(entry.name for entry in outside.iterdir()) == ["mine.txt"]
    assert (outside / "mine.txt").read_text() == "mine"


def test_the_root_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    write_text(tmp_path / "alias" / "best" / "train.yaml", "x", tmp_path / "alias")
    written = root / "best" / "train.yaml"
    assert written.read_text() == "x"
    assert stat.S_IMODE(written.stat().st_mode) == 0o644


def test_a_held_folder_stays_the_one_it_was(root: Path, outside: Path) -> None:
    best = root / "best"
    with held(best, root, make=True) as folder:
        best.rename(root / "moved")
        best.symlink_to(outside)
        write_text(folder / "mine.txt", "yours")
    assert (root / "moved" / "mine.txt").read_text() == "yours"
    assert (outside / "mine.txt").read_text() == "mine"


def test_a_folder_that_keeps_changing_never_leads_outside(root: Path, outside: Path) -> None:
    """One thread swaps the folder for a link and back while another writes into it."""
    best, real = root / "best", root / "real"
    best.mkdir()
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            best.rename(real)
            best.symlink_to(outside)
            best.unlink()
            real.rename(best)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for number in range(1000):
            try:
                with held(best, root) as folder:
                    write_text(folder / "mine.txt", str(number))
            except (FixInput, OSError):
                continue
    finally:
        stop.set()
        thread.join()
    assert (outside / "mine.txt").read_text() == "mine"
    assert sorted(entry.name for entry in outside.iterdir()) == ["mine.txt"]


def test_a_lone_surrogate_is_written_and_read_back(root: Path) -> None:
    write_json(root / "a.json", {"name": "\udc80"})
    assert read_json(root / "a.json") == {"name": "\udc80"}
    write_text(root / "a.txt", "a\udcffb")
    assert (root / "a.txt").read_text() == "a\\udcffb"
