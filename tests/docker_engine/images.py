"""Images made of this machine's own Python, in seconds and without a registry.

The small one holds Python and a program ``centerpose`` that plays a script; the base of the
development image holds the trainer's packages as well, taken from the running environment.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import docker

import automl
from automl.skill.read import own_skill_dir

__all__ = ["BASE", "DEVELOPMENT", "SCRIPTED", "make_base", "make_development", "make_scripted"]

SCRIPTED = "automl-test/scripted:1"
BASE = "automl-test/base:1"
DEVELOPMENT = "automl-test/centerpose:1"

_PROGRAM = Path(__file__).parent / "scripted_centerpose.py"
_DOCKERFILE = Path(automl.__file__).parent / "trainers" / "dev_image" / "Dockerfile"
_TOOLS = ("sh", "cat", "ls", "sleep", "id", "env", "mkdir", "chmod", "rm")
_LIBRARY = re.compile(r"(?:=> |\t)(/\S+) \(0x")
_LEFT_OUT = frozenset({"test", "tests", "idlelib", "tkinter", "turtledemo", "include"})
_PACKAGES = ("yaml", "_yaml")
#: What the trainer imports, with what that imports; the environment has much that it never does.
_TRAINER = (
    *("torch", "torchgen", "functorch", "numpy", "numpy.libs", "scipy", "scipy.libs", "cv2"),
    *("opencv_python_headless.libs", "yaml", "_yaml", "onnx", "onnxruntime", "ml_dtypes"),
    *("sympy", "mpmath", "networkx", "jinja2", "markupsafe", "filelock", "fsspec", "google"),
    *("typing_extensions.py", "flatbuffers", "packaging", "coloredlogs", "humanfriendly", "pip"),
    *("setuptools", "isympy.py", "lightning_fabric", "lightning_utilities", "tqdm", "pyarrow"),
)
#: The modules of this package that a scripted training imports.
_PLAYER = (
    *(
        "__init__.py",
        "errors.py",
        "inside.py",
        "jsontext.py",
        "visible.py",
        "trainers/__init__.py",
    ),
    *("trainers/contract.py", "trainers/scripted_program.py"),
)
_VARIABLES = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LD_LIBRARY_PATH": "/usr/local/lib",
    "LANG": "C.UTF-8",
    "PYTHONUNBUFFERED": "1",
}


def make_scripted(client: docker.DockerClient) -> str:
    """The small image; about five seconds. Returns its name."""
    package = Path(automl.__file__).parent
    files = {f"automl/{name}": package / name for name in _PLAYER}
    return _import(client, SCRIPTED, _PACKAGES, files, {"centerpose": _PROGRAM})


def make_base(client: docker.DockerClient) -> str:
    """Python with everything that the trainer program imports; a gigabyte, half a minute."""
    wanted = {re.sub(r"\.py$|\.libs$", "", name).lower().replace("-", "_") for name in _TRAINER}
    wanted |= {"opencv_python_headless", "pyyaml", "protobuf"}
    named = [
        about.name
        for site in _sites()
        for about in site.glob("*.dist-info")
        if about.name.partition("-")[0].lower() in wanted
    ]
    return _import(client, BASE, (*_TRAINER, *named), {}, {})


def make_development(client: docker.DockerClient, base: str, folder: Path) -> str:
    """The development image, built from its Dockerfile over ``base``; returns its name.

    Args:
        client: The engine.
        base: Image that holds Python and pip, and the packages or room for them.
        folder: Where the build's context is put together.
    """
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    options = ["--no-deps", "--no-build-isolation", "--no-cache-dir", "-q"]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "-w", wheels, own_skill_dir()],
        check=True,
        capture_output=True,
    )
    shutil.copy(_DOCKERFILE, folder / "Dockerfile")
    client.images.build(
        path=str(folder),
        tag=DEVELOPMENT,
        buildargs={"BASE": base},
        network_mode="none",
        rm=True,
        forcerm=True,
    )
    return DEVELOPMENT


def _import(
    client: docker.DockerClient,
    tag: str,
    packages: Iterable[str],
    files: dict[str, Path],
    programs: dict[str, Path],
) -> str:
    repository, _, version = tag.partition(":")
    with tempfile.NamedTemporaryFile(suffix=".tar") as kept:
        with tarfile.open(fileobj=kept, mode="w") as archive:
            _fill(_Rootfs(archive), packages, files, programs)
        kept.seek(0)
        changes = [f"ENV {name}={value}" for name, value in _VARIABLES.items()]
        client.api.import_image_from_file(kept.name, repository, version, changes=changes)
    return tag


def _sites() -> tuple[Path, ...]:
    """The folders that installed packages are imported from, in order."""
    return tuple(Path(entry) for entry in sys.path if Path(entry).name == "site-packages")


def _fill(
    rootfs: "_Rootfs",
    packages: Iterable[str],
    files: dict[str, Path],
    programs: dict[str, Path],
) -> None:
    rootfs.skeleton()
    inside = f"{_add_python(rootfs)}/site-packages"
    for name in packages:
        path = next((site / name for site in _sites() if (site / name).exists()), None)
        if path is not None and path.is_dir():
            rootfs.tree(path, f"{inside}/{name}")
        elif path is not None:
            rootfs.program(path, f"{inside}/{name}")
    for name, path in files.items():
        rootfs.program(path, f"{inside}/{name}")
    for name, path in programs.items():
        rootfs.program(path, f"usr/local/bin/{name}", mode=0o755)
    for tool in _TOOLS:
        found = shutil.which(tool, path="/usr/bin:/bin")
        if found:
            rootfs.program(Path(os.path.realpath(found)), f"usr/bin/{tool}")
    rootfs.libraries()


def _add_python(rootfs: "_Rootfs") -> str:
    """Python itself; it finds its library from where its program lies. Returns the library."""
    version = f"python3.{sys.version_info.minor}"
    rootfs.program(Path(os.path.realpath(sys.executable)), f"usr/local/bin/{version}")
    for name in ("python3", "python"):
        rootfs.link(f"usr/local/bin/{name}", version)
    library = f"usr/local/lib/{version}"
    standard = Path(sysconfig.get_paths()["stdlib"])
    rootfs.tree(standard, library, leave_out=("site-packages", "ensurepip"))
    for shared in Path(sys.base_prefix, "lib").glob("libpython3*.so*"):
        rootfs.program(shared, f"usr/local/lib/{shared.name}")
    return library


class _Rootfs:
    """A root file system on its way into a tar archive."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._binaries: list[Path] = []
        self._inside: set[str] = set()

    def skeleton(self) -> None:
        """The folders that any program expects, and who there is."""
        for name in ("usr", "usr/bin", "usr/lib", "usr/lib64", "usr/local", "usr/local/bin"):
            self._folder(name)
        for name in ("usr/local/lib", "etc", "root", "dev", "proc", "sys", "run", "var"):
            self._folder(name)
        for name in ("tmp", "var/tmp"):
            self._folder(name, 0o1777)
        for name in ("bin", "lib", "lib64"):
            self.link(name, f"usr/{name}")
        self._text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        self._text("etc/group", "root:x:0:\n")

    def link(self, name: str, target: str) -> None:
        """A symbolic link."""
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
        self._archive.addfile(entry)

    def tree(self, folder: Path, inside: str, leave_out: Iterable[str] = ()) -> None:
        """The files of a folder."""
        skipped = _LEFT_OUT | frozenset(leave_out)
        for path in _files(folder, skipped):
            self.program(path, f"{inside}/{path.relative_to(folder)}")

    def program(self, path: Path, inside: str, mode: int | None = None) -> None:
        """One file, links followed; remembered if it may need libraries."""
        if inside in self._inside:
            return
        self._inside.add(inside)
        entry = self._archive.gettarinfo(os.path.realpath(path), inside)
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.type, entry.linkname = tarfile.REGTYPE, ""
        entry.size = path.stat().st_size
        entry.mode = mode or (entry.mode | 0o444)
        with path.open("rb") as file:
            self._archive.addfile(entry, file)
        if ".so" in path.name or "/bin/" in f"/{inside}":
            self._binaries.append(path)

    def libraries(self) -> None:
        """Every shared library of the system that any of the programs links, at its own place."""
        for library in sorted(_linked(self._binaries)):
            place = str(PurePosixPath(library).relative_to("/"))
            if place.startswith("lib"):
                place = f"usr/{place}"
            if not any(library.startswith(str(known)) for known in _own_places()):
                self.program(Path(library), place)

    def _folder(self, name: str, mode: int = 0o755) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        self._archive.addfile(entry)

    def _text(self, name: str, text: str) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        self._archive.addfile(entry, io.BytesIO(text.encode()))


def _own_places() -> tuple[Path, ...]:
    """What moves with Python and its packages, and is not at its own place in the image."""
    return Path(sys.base_prefix), *_sites()


def _files(folder: Path, skipped: frozenset[str]) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in skipped]
        yield from (Path(root, name) for name in names if not name.endswith((".a", ".pyi")))


def _linked(binaries: list[Path]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(binaries), 200):
        command = ["ldd", *map(str, binaries[start : start + 200])]
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        found |= {match[1] for match in _LIBRARY.finditer(answer)}
    return found
