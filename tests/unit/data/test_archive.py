"""Folders and tarballs as data, and the cache of extracted ones."""

import json
import os
import shutil
import tarfile
import threading
from pathlib import Path

import pytest

import automl.data.archive as archive_module
import automl.data.untar as untar_module
from automl.data.archive import resolve_source
from automl.errors import FixInput


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def pack(
    tmp_path: Path, top: str = "train", name: str = "train.tar.gz", image: bytes = b"image"
) -> Path:
    folder = tmp_path / "packed" / "seq"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "00000.png").write_bytes(image)
    (folder / "00000.json").write_text("{}")
    tarball = tmp_path / name
    with tarfile.open(tarball, "w:gz" if name.endswith("gz") else "w") as archive:
        archive.add(tmp_path / "packed", arcname=top)
    return tarball


def test_a_folder_is_used_as_it_is(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "train"
    folder.mkdir()
    assert resolve_source(str(folder), cache) == folder
    assert not cache.exists()


@pytest.mark.parametrize("name", ["train.tar.gz", "train.tgz", "train.tar", "TRAIN.TAR"])
def test_a_tarball_is_extracted_and_its_split_entered(
    tmp_path: Path, cache: Path, name: str
) -> None:
    root = resolve_source(str(pack(tmp_path, name=name)), cache)
    assert root.name == "train"
    assert (root / "seq" / "00000.png").read_bytes() == b"image"


def test_a_top_folder_that_is_no_split_is_not_entered(tmp_path: Path, cache: Path) -> None:
    root = resolve_source(str(pack(tmp_path, top="bikes")), cache)
    assert (root / "bikes" / "seq" / "00000.png").is_file()


def test_the_second_time_nothing_is_read_again(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tarball = pack(tmp_path)
    first = resolve_source(str(tarball), cache)

    def never(*_: object) -> str:
        raise AssertionError("the tarball was read again")

    monkeypatch.setattr(archive_module, "sha256_of", never)
    monkeypatch.setattr(archive_module, "extract", never)
    assert resolve_source(str(tarball), cache) == first


def test_the_same_content_under_another_name_shares_the_folder(
    tmp_path: Path, cache: Path
) -> None:
    tarball = pack(tmp_path)
    copy = tmp_path / "copy.tar.gz"
    shutil.copyfile(tarball, copy)
    assert resolve_source(str(copy), cache) == resolve_source(str(tarball), cache)


def test_changed_content_is_extracted_anew(tmp_path: Path, cache: Path) -> None:
    first = resolve_source(str(pack(tmp_path)), cache)
    tarball = pack(tmp_path, image=b"changed")
    os.utime(tarball, ns=(1, 1))
    second = resolve_source(str(tarball), cache)
    assert second != first
    assert (second / "seq" / "00000.png").read_bytes() == b"changed"
    assert (first / "seq" / "00000.png").read_bytes() == b"image"


def test_a_broken_memory_of_the_hash_is_replaced(tmp_path: Path, cache: Path) -> None:
    tarball = pack(tmp_path)
    first = resolve_source(str(tarball), cache)
    (memory,) = (cache / "archives" / "known").iterdir()
    memory.write_text("{")
    assert resolve_source(str(tarball), cache) == first
    assert json.loads(memory.read_text())["path"] == str(tarball)


def test_an_interrupted_extraction_leaves_nothing_and_the_next_one_succeeds(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tarball = pack(tmp_path)

    def interrupted(_: Path, target: Path) -> None:
        (target / "half").write_bytes(b"h")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archive_module, "extract", interrupted)
        with pytest.raises(KeyboardInterrupt):
            resolve_source(str(tarball), cache)
    assert not [path for path in (cache / "archives").rglob("*") if path.name == "half"]
    assert (resolve_source(str(tarball), cache) / "seq").is_dir()


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path, cache: Path) -> None:
    tarball = pack(tmp_path)
    root = resolve_source(str(tarball), cache)
    digest = root.parent.name
    shutil.rmtree(root.parent)
    left_over = cache / "archives" / f".{digest}.killed"
    left_over.mkdir()
    (left_over / "half").touch()
    resolve_source(str(tarball), cache)
    assert not left_over.exists()


def test_two_at_once_extract_once(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tarball = pack(tmp_path)
    extracted: list[Path] = []
    real = untar_module.extract

    def counted(source: Path, target: Path) -> None:
        extracted.append(target)
        real(source, target)

    monkeypatch.setattr(archive_module, "extract", counted)
    roots: list[Path] = []
    threads = [
        threading.Thread(target=lambda: roots.append(resolve_source(str(tarball), cache)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(roots) == 4
    assert len(set(roots)) == 1
    assert len(extracted) == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "that exists"),
        ("notes.txt", "must be a tarball"),
        ("nowhere://bucket/train.tar.gz", "must have a known scheme"),
    ],
)
def test_what_is_no_data_is_refused(tmp_path: Path, cache: Path, path: str, message: str) -> None:
    (tmp_path / "notes.txt").touch()
    given = path if "://" in path else str(tmp_path / path)
    with pytest.raises(FixInput, match=message):
        resolve_source(given, cache)
