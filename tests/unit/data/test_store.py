"""Folders of the cache: made once, and made whole again when they have lost a file."""

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.data.archive import resolve_source
from automl.data.cache import cache_dir
from automl.data.staging import stage
from automl.data.store import kept
from automl.data.synth.demo import ensure_demo
from automl.data.synth.make import synthesise
from automl.data.synth.request import SynthRequest
from automl.errors import FixInput, PrepareMachine

CONTENT = {"seq/00000.png": b"image", "seq/00000.json": b"{}", "seq/deep/more.json": b"[]"}
SMALL = SynthRequest(category="cereal_box", train=2, val=1, seed=3)


class Maker:
    """Fills a folder and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path) -> None:
        self.calls += 1
        for name, content in CONTENT.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def content_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _lose_file(folder: Path) -> None:
    (folder / "seq" / "00000.png").unlink()


def _cut_file(folder: Path) -> None:
    (folder / "seq" / "00000.png").write_bytes(b"im")


def _lose_folder(folder: Path) -> None:
    shutil.rmtree(folder / "seq")


def _lose_all(folder: Path) -> None:
    shutil.rmtree(folder)


def _file_for_folder(folder: Path) -> None:
    shutil.rmtree(folder / "seq")
    (folder / "seq").touch()


def _folder_for_file(folder: Path) -> None:
    (folder / "seq" / "00000.png").unlink()
    (folder / "seq" / "00000.png" / "x").mkdir(parents=True)


def _lose_list(folder: Path) -> None:
    folder.with_name("a.files").unlink()


def _break_list(folder: Path) -> None:
    folder.with_name("a.files").write_text("[[]]")


@pytest.mark.parametrize(
    "spoil",
    [
        _lose_file,
        _cut_file,
        _lose_folder,
        _lose_all,
        _file_for_folder,
        _folder_for_file,
        _lose_list,
        _break_list,
    ],
)
def test_what_was_lost_is_made_again_once(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    make = Maker()
    folder = kept(tmp_path / "store", "a", make)
    assert kept(tmp_path / "store", "a", make) == folder
    assert make.calls == 1
    spoil(folder)
    assert kept(tmp_path / "store", "a", make) == folder
    assert content_of(folder) == CONTENT
    assert kept(tmp_path / "store", "a", make) == folder
    assert make.calls == 2
    assert sorted(path.name for path in folder.parent.iterdir()) == ["a", "a.files", "a.lock"]


def test_whole_files_stay_the_same_for_who_reads_them(tmp_path: Path) -> None:
    folder = kept(tmp_path, "a", Maker())
    before = (folder / "seq" / "00000.json").stat().st_ino
    (folder / "seq" / "00000.png").unlink()
    kept(tmp_path, "a", Maker())
    assert (folder / "seq" / "00000.json").stat().st_ino == before


def test_files_that_others_put_there_are_left_alone(tmp_path: Path) -> None:
    make = Maker()
    folder = kept(tmp_path, "a", make)
    (folder / "notes.txt").touch()
    kept(tmp_path, "a", make)
    assert make.calls == 1


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    Maker()(tmp_path / "packed")
    with tarfile.open(tmp_path / "train.tar", "w") as archive:
        archive.add(tmp_path / "packed", arcname="train")
    return tmp_path / "train.tar"


def test_an_extracted_tarball_that_lost_a_file_is_extracted_again(
    tmp_path: Path, tarball: Path
) -> None:
    folder = resolve_source(str(tarball), tmp_path / "cache")
    _lose_file(folder)
    assert resolve_source(str(tarball), tmp_path / "cache") == folder
    assert content_of(folder) == CONTENT


def test_data_from_an_address_that_lost_a_file_is_brought_again(
    tmp_path: Path, tarball: Path
) -> None:
    for address in (f"file://{tarball}", f"file://{tmp_path / 'packed'}"):
        staged = stage(address, tmp_path / "cache")
        path = staged.path if staged.path.is_file() else staged.path / "seq" / "00000.png"
        path.unlink()
        assert stage(address, tmp_path / "cache") == staged
        assert path.is_file()


def test_a_rendered_set_that_lost_a_file_is_rendered_again(tmp_path: Path) -> None:
    train = ensure_demo(tmp_path, SMALL).train
    assert train is not None
    before = content_of(train)
    next(train.rglob("*.jpg")).unlink()
    assert ensure_demo(tmp_path, SMALL).train == train
    assert content_of(train) == before


def test_a_rendered_folder_of_the_users_own_that_lost_a_file_is_named(tmp_path: Path) -> None:
    folder = synthesise(SMALL, tmp_path / "set").folder
    assert synthesise(SMALL, folder).reused
    next((folder / "val").rglob("*.json")).unlink()
    with pytest.raises(FixInput, match=r"without val/cereal_box-0000/00000\.json"):
        synthesise(SMALL, folder)


@pytest.mark.parametrize("where", ["archives", "synth", "remote"])
def test_a_cache_that_cannot_be_made_names_the_folder_and_the_variable(
    tmp_path: Path, tarball: Path, where: str
) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file in its place")
    ask: dict[str, Callable[[], object]] = {
        "archives": lambda: resolve_source(str(tarball), cache),
        "synth": lambda: ensure_demo(cache, SMALL),
        "remote": lambda: stage(f"file://{tarball}", cache),
    }
    with pytest.raises(PrepareMachine, match="AUTOML_CACHE_DIR") as caught:
        ask[where]()
    assert str(cache) in caught.value.where


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_cache_that_may_only_be_read_still_gives_what_it_holds(
    tmp_path: Path, tarball: Path
) -> None:
    cache = tmp_path / "cache"
    folder = resolve_source(str(tarball), cache)
    shutil.rmtree(cache / "archives" / "known")
    (cache / "archives").chmod(0o555)
    assert resolve_source(str(tarball), cache) == folder
    _lose_file(folder)
    with pytest.raises(PrepareMachine, match="Permission denied"):
        resolve_source(str(tarball), cache)


def test_a_user_without_a_home_is_told_to_name_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("AUTOML_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(PrepareMachine, match="AUTOML_CACHE_DIR"):
        cache_dir()
