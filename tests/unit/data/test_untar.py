"""Hostile and broken tarballs: refused by name, and nothing written outside."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import automl.data.untar as untar_module
from automl.data.archive import resolve_source
from automl.errors import FixInput, PrepareMachine

Member = tuple[tarfile.TarInfo, bytes]


def file(name: str, content: bytes = b"x") -> Member:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name: str, kind: bytes, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member, b""


def spelled(name: str) -> Member:
    """A member whose name stands in a header of its own, where it may hold any sign."""
    member, content = file(name)
    member.pax_headers = {"path": name}
    return member, content


@pytest.fixture
def tarball_of(tmp_path: Path) -> Callable[..., Path]:
    def make(*members: Member) -> Path:
        path = tmp_path / "inbox" / "train.tar.gz"
        path.parent.mkdir()
        with tarfile.open(path, "w:gz") as archive:
            for member, content in members:
                archive.addfile(member, io.BytesIO(content))
        return path

    return make


def outside(tmp_path: Path) -> set[str]:
    """Every path of the sandbox but the cache's own bookkeeping."""
    kept = {"inbox", "inbox/train.tar.gz", "cache", "cache/archives", "cache/archives/known"}
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    return {path for path in found - kept if not path.endswith((".json", ".lock"))}


@pytest.mark.parametrize(
    ("member", "named"),
    [
        (file("/etc/automl-test"), "absolute"),
        (spelled("train/a\0b"), "a name that no file can have"),
        (file("../escaped"), r"'\.\.'"),
        (file("train/../../escaped"), r"'\.\.'"),
        (special("train/out", tarfile.SYMTYPE, "/etc"), "symbolic link"),
        (special("train/in", tarfile.SYMTYPE, "seq"), "symbolic link"),
        (special("train/hard", tarfile.LNKTYPE, "/etc/passwd"), "hard link"),
        (special("train/null", tarfile.CHRTYPE), "character device"),
        (special("train/disk", tarfile.BLKTYPE), "block device"),
        (special("train/pipe", tarfile.FIFOTYPE), "named pipe"),
        (special("train/odd", b"Z"), "neither a folder"),
    ],
)
def test_an_unsafe_member_is_refused_by_name_and_nothing_is_left(
    tmp_path: Path, tarball_of: Callable[..., Path], member: Member, named: str
) -> None:
    tarball = tarball_of(file("train/seq/00000.png"), member)
    with pytest.raises(FixInput, match=named) as caught:
        resolve_source(str(tarball), tmp_path / "cache")
    assert repr(member[0].name) in str(caught.value)
    assert str(tarball) in str(caught.value)
    assert outside(tmp_path) == set()
    assert not Path("/etc/automl-test").exists()


def test_a_file_under_a_symbolic_link_never_gets_written(
    tmp_path: Path, tarball_of: Callable[..., Path]
) -> None:
    victim = tmp_path / "inbox"
    link = special("train/a", tarfile.SYMTYPE, str(victim))
    tarball = tarball_of(link, file("train/a/planted"))
    with pytest.raises(FixInput, match="symbolic link"):
        resolve_source(str(tarball), tmp_path / "cache")
    assert not (victim / "planted").exists()


@pytest.mark.parametrize("second", ["train/a", "train/a/b"])
def test_a_name_that_is_taken_is_refused(
    tmp_path: Path, tarball_of: Callable[..., Path], second: str
) -> None:
    with pytest.raises(FixInput, match="each file once"):
        resolve_source(str(tarball_of(file("train/a"), file(second))), tmp_path / "cache")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("train/a.png", "train/A.png"),
        ("train/seq/a", "Train/seq/b"),
        ("train/caf\u00e9", "train/cafe\u0301"),
        ("train/stra\u00dfe", "train/STRASSE"),
    ],
)
def test_names_that_some_file_systems_take_for_one_are_refused(
    tmp_path: Path, tarball_of: Callable[..., Path], first: str, second: str
) -> None:
    with pytest.raises(FixInput, match="take for"):
        resolve_source(str(tarball_of(file(first), file(second))), tmp_path / "cache")
    assert outside(tmp_path) == set()


def test_a_bomb_of_members_is_refused(
    tmp_path: Path, tarball_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(untar_module, "_MAX_MEMBERS", 20)
    tarball = tarball_of(*(file(f"train/{number}", b"") for number in range(21)))
    with pytest.raises(FixInput, match="at most 20 members"):
        resolve_source(str(tarball), tmp_path / "cache")
    assert outside(tmp_path) == set()


def test_a_bomb_is_refused_before_it_fills_the_disk(
    tmp_path: Path, tarball_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(untar_module, "_ALWAYS_ALLOWED", 1 << 16)
    tarball = tarball_of(file("train/zeros", bytes(8 << 20)))
    with pytest.raises(FixInput, match="100 times its size"):
        resolve_source(str(tarball), tmp_path / "cache")
    assert outside(tmp_path) == set()


def test_a_bomb_of_empty_files_is_refused(
    tmp_path: Path, tarball_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(untar_module, "_ALWAYS_ALLOWED", 1 << 16)
    monkeypatch.setattr(untar_module, "_MAX_RATIO", 2)
    tarball = tarball_of(*(file(f"train/{number}", b"") for number in range(500)))
    with pytest.raises(FixInput, match="2 times its size"):
        resolve_source(str(tarball), tmp_path / "cache")


def test_a_header_that_asks_for_gigabytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(untar_module, "_ALWAYS_ALLOWED", 1 << 20)
    header = tarfile.TarInfo("././@LongLink")
    header.type = tarfile.GNUTYPE_LONGNAME
    header.size = 4 << 30
    tarball = tmp_path / "train.tar"
    tarball.write_bytes(header.tobuf(format=tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(FixInput, match="100 times its size"):
        resolve_source(str(tarball), tmp_path / "cache")


@pytest.mark.parametrize("keep", [0, 1, 10, 0.5, 0.99])
def test_a_tarball_cut_short_is_refused(
    tmp_path: Path, tarball_of: Callable[..., Path], keep: float
) -> None:
    noise = bytes(index * 7919 % 251 for index in range(20_000))
    tarball = tarball_of(file("train/seq/00000.png", noise), file("train/seq/00001.png", noise))
    whole = tarball.read_bytes()
    tarball.write_bytes(whole[: keep if isinstance(keep, int) else int(len(whole) * keep)])
    with pytest.raises(FixInput, match="must be whole") as caught:
        resolve_source(str(tarball), tmp_path / "cache")
    assert caught.value.where == str(tarball)
    assert outside(tmp_path) == set()


def test_a_flipped_bit_is_noticed(tmp_path: Path, tarball_of: Callable[..., Path]) -> None:
    tarball = tarball_of(file("train/a", b"content"))
    content = bytearray(gzip.decompress(tarball.read_bytes()))
    broken = bytearray(gzip.compress(bytes(content)))
    broken[-5] ^= 1
    tarball.write_bytes(broken)
    with pytest.raises(FixInput, match="must be whole"):
        resolve_source(str(tarball), tmp_path / "cache")


def test_a_full_disk_is_the_machines_fault(
    tmp_path: Path, tarball_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(PrepareMachine, match="No space left"):
        resolve_source(str(tarball_of(file("train/a"))), tmp_path / "cache")


def test_a_name_too_long_for_the_disk_is_refused(
    tmp_path: Path, tarball_of: Callable[..., Path]
) -> None:
    with pytest.raises(FixInput, match="can be extracted"):
        resolve_source(str(tarball_of(file("train/" + "n" * 300))), tmp_path / "cache")
