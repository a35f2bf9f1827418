"""Data at an address: brought once, whole or not at all, from stores that are really there."""

import functools
import hashlib
import http.server
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import automl.data.staging as staging_module
from automl.data.archive import resolve_source
from automl.data.staging import Transfer, stage
from automl.errors import AutomlError, FixInput, InstallExtra, PrepareMachine


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    """An empty store in this process."""
    store = fsspec.filesystem("memory")
    store.rm("/", recursive=True) if store.exists("/bucket") else None
    yield store
    if store.exists("/bucket"):
        store.rm("/bucket", recursive=True)


def tarball(image: bytes = b"image") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("train/seq/00000.png")
        member.size = len(image)
        archive.addfile(member, io.BytesIO(image))
    return packed.getvalue()


def test_a_tarball_is_brought_and_extracted(cache: Path, memory: MemoryFileSystem) -> None:
    memory.pipe("/bucket/train.tar.gz", tarball())
    root = resolve_source("memory://bucket/train.tar.gz", cache)
    assert (root / "seq" / "00000.png").read_bytes() == b"image"


def test_a_folder_is_brought_with_everything_below(cache: Path, memory: MemoryFileSystem) -> None:
    memory.pipe({"/bucket/train/a/0.png": b"1", "/bucket/train/b/0.png": b"22"})
    root = resolve_source("memory://bucket/train", cache)
    found = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert found == {"a/0.png": b"1", "b/0.png": b"22"}


def test_what_is_known_of_it_is_told(cache: Path, memory: MemoryFileSystem) -> None:
    content = tarball()
    memory.pipe("/bucket/train.tar.gz", content)
    staged = stage("memory://bucket/train.tar.gz", cache)
    assert staged.sha256 == hashlib.sha256(content).hexdigest()
    assert staged.n_bytes == len(content)
    assert staged.address == "memory://bucket/train.tar.gz"
    assert staged.mark
    assert staged.sha256 in str(staged)


def test_progress_ends_at_the_whole(cache: Path, memory: MemoryFileSystem) -> None:
    content = bytes(3 << 20)
    memory.pipe("/bucket/train.tar", content)
    told: list[tuple[int, int]] = []
    stage("memory://bucket/train.tar", cache, lambda done, total: told.append((done, total)))
    assert told == [(part << 20, 3 << 20) for part in (1, 2, 3)]


def test_the_second_time_nothing_is_brought(cache: Path, memory: MemoryFileSystem) -> None:
    memory.pipe("/bucket/train.tar.gz", tarball())
    first = stage("memory://bucket/train.tar.gz", cache)
    told: list[int] = []
    again = stage("memory://bucket/train.tar.gz", cache, lambda done, _: told.append(done))
    assert again == first
    assert told == []


def test_changed_data_is_brought_beside_the_old(cache: Path, memory: MemoryFileSystem) -> None:
    memory.pipe("/bucket/train.tar.gz", tarball())
    old = stage("memory://bucket/train.tar.gz", cache)
    memory.pipe("/bucket/train.tar.gz", tarball(b"other image"))
    new = stage("memory://bucket/train.tar.gz", cache)
    assert new.path != old.path
    assert old.path.is_file()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ConnectionResetError("reset by peer")])
def test_an_interrupted_transfer_leaves_nothing_and_the_next_succeeds(
    cache: Path, memory: MemoryFileSystem, error: BaseException
) -> None:
    memory.pipe("/bucket/train.tar", bytes(3 << 20))

    def breaks(done: int, _: int) -> None:
        if done > 1 << 20:
            raise error

    with pytest.raises((KeyboardInterrupt, PrepareMachine)):
        stage("memory://bucket/train.tar", cache, breaks)
    assert [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"] == []
    assert stage("memory://bucket/train.tar", cache).n_bytes == 3 << 20


def test_what_a_killed_transfer_left_is_swept_away(cache: Path, memory: MemoryFileSystem) -> None:
    memory.pipe("/bucket/train.tar", b"x")
    staged = stage("memory://bucket/train.tar", cache)
    key = staged.path.parent.name
    (staged.path.parent / "staged.json").unlink()
    left_over = cache / "remote" / f".{key}.killed"
    left_over.mkdir()
    staged.path.parent.rename(left_over / "half")
    assert stage("memory://bucket/train.tar", cache).path.read_bytes() == b"x"
    assert not left_over.exists()


def test_two_at_once_bring_once(
    cache: Path, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/bucket/train.tar", bytes(1 << 20))
    brought: list[Path] = []
    real = staging_module._bring

    def counted(remote: staging_module._Remote, partial: Path, told: Transfer | None) -> None:
        brought.append(partial)
        real(remote, partial, told)

    monkeypatch.setattr(staging_module, "_bring", counted)
    threads = [
        threading.Thread(target=stage, args=("memory://bucket/train.tar", cache)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(brought) == 1


def test_a_full_disk_is_told_before_anything_is_brought(
    cache: Path, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/bucket/train.tar", b"12345")
    usage = type("Usage", (), {"free": 4})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(PrepareMachine, match=r"5 bytes for .*, 4 free"):
        stage("memory://bucket/train.tar", cache)


@pytest.mark.parametrize("address", ["memory://bucket/none.tar.gz", "memory://bucket/nowhere"])
def test_nothing_there(cache: Path, memory: MemoryFileSystem, address: str) -> None:
    with pytest.raises(FixInput, match="nothing at memory://bucket/no"):
        stage(address, cache)


def test_a_password_is_neither_taken_nor_repeated(cache: Path) -> None:
    with pytest.raises(FixInput, match="no password") as caught:
        stage("https://ana:hunter2@example.org/train.tar.gz", cache)
    assert "hunter2" not in str(caught.value)


def test_a_scheme_without_its_package_names_the_extra(cache: Path) -> None:
    fsspec.register_implementation(
        "packageless", "no_such_package.Store", clobber=True, errtxt="install no_such_package"
    )
    with pytest.raises(InstallExtra, match=r"\[remote\]"):
        stage("packageless://bucket/train.tar.gz", cache)


class _Server(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; ``cut.tar`` ends before the length that was promised."""

    def log_message(self, *_: object) -> None:
        pass

    def copyfile(self, source: object, outputfile: object) -> None:
        if self.path.endswith("cut.tar"):
            outputfile.write(source.read(10))  # type: ignore[attr-defined]
            self.close_connection = True
            return
        super().copyfile(source, outputfile)  # type: ignore[arg-type]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on this machine: its address and the folder it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Server, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()
        thread.join()


def test_over_http(cache: Path, server: tuple[str, Path]) -> None:
    address, folder = server
    (folder / "train.tar.gz").write_bytes(tarball())
    root = resolve_source(f"{address}/train.tar.gz?token=secret", cache)
    assert (root / "seq" / "00000.png").read_bytes() == b"image"
    kept = b"".join(path.read_bytes() for path in cache.rglob("*.json"))
    assert b"secret" not in kept


def test_http_without_the_file(cache: Path, server: tuple[str, Path]) -> None:
    with pytest.raises(FixInput, match="nothing at"):
        stage(f"{server[0]}/none.tar.gz", cache)


def test_a_connection_that_ends_early_is_no_data(cache: Path, server: tuple[str, Path]) -> None:
    address, folder = server
    (folder / "cut.tar").write_bytes(bytes(5000))
    with pytest.raises(PrepareMachine, match="nothing half was kept"):
        stage(f"{address}/cut.tar", cache)
    assert not list(cache.rglob("cut.tar"))


class _Answers(http.server.BaseHTTPRequestHandler):
    """Answers with the status that the address begins with; never, where that is 0."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        status = int(self.path.split("/")[1])
        if status:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.connection.recv(1)

    do_HEAD = do_GET  # noqa: N815 -- the name that the server looks for


@pytest.fixture
def answers() -> Iterator[str]:
    """A web server that refuses; its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["train.tar.gz", "train"])
def test_a_server_that_nobody_reaches_is_the_machine_s_affair(cache: Path, name: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens there
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/{name}"
        with pytest.raises(PrepareMachine, match="must be reachable from this machine") as caught:
            stage(f"{address}?token=hunter2", cache)
    assert caught.value.exit_code == 3
    assert "Cannot connect" in caught.value.got
    assert caught.value.where == address
    assert "network" in caught.value.fix


def test_a_server_that_never_answers_is_given_up(
    cache: Path, answers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging_module, "_ANSWER_S", 0.2)
    with pytest.raises(PrepareMachine, match="must be reachable") as caught:
        stage(f"{answers}/0/train.tar.gz", cache)
    assert "imeout" in caught.value.got


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (401, FixInput, "must be readable"),
        (403, FixInput, "must be readable"),
        (404, FixInput, "nothing at"),
        (410, FixInput, "nothing at"),
        (500, PrepareMachine, "500"),
        (503, PrepareMachine, "503"),
    ],
)
@pytest.mark.parametrize("name", ["train.tar.gz", "train"])
def test_what_a_server_answers_is_told_as_what_it_is(
    cache: Path, answers: str, status: int, error: type[AutomlError], told: str, name: str
) -> None:
    with pytest.raises(error, match=told) as caught:
        stage(f"{answers}/{status}/{name}?token=hunter2", cache)
    assert type(caught.value) is error
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("address", ["s3://", "https://", "://x", "gs:///", "s3://[x"])
def test_an_address_without_a_place_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(FixInput, match="an address must") as caught:
        stage(address, tmp_path)
    assert address in caught.value.got
