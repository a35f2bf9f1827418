"""Whether a file can be a checkpoint at all, found out without loading it.

A checkpoint that was fetched is often something else: the pointer that Git LFS leaves in its
place, the page of a login, an empty file, the first half. Each trial would find that out anew.
"""

import re
import stat
import zipfile
from pathlib import Path
from typing import Final

from automl.errors import FixData

__all__ = ["check_checkpoint_file", "check_not_encrypted", "encrypted"]

_HEAD: Final = 64
_ZIP: Final = b"PK\x03\x04"
_PICKLE: Final = b"\x80"
_RECORD: Final = "data.pkl"
_POINTER: Final = b"version https://git-lfs"
_TORCHS: Final = frozenset({".pth", ".pt", ".ckpt"})
#: The mark of the container's older releases, true, as pickle writes it.
_MARK: Final = re.compile(rb"state_dict_encrypted(?:q.|r....|\x94)?\x88", re.DOTALL)
_ONNX: Final = ".onnx"
_ENCRYPTED_EXPORT: Final = ".etlt"
_OLD: Final = ".tlt"
_ONNX_START: Final = b"\x08"  # field 1 (the version), written as a number
_OTHERS: Final = (
    (b"<", "a page of markup", "fetch the file again; the address may have asked for a login"),
    (b"{", "JSON", "name the file that holds the weights"),
)


def check_checkpoint_file(path: Path, named_by: str = "") -> None:
    """Refuses a file that cannot be a checkpoint.

    Of a name that ``torch.save`` gives (``.pth``, ``.pt``, ``.ckpt``) it must be such a file, and
    of ``.onnx`` an exported network; of another, for networks with formats of their own, something
    that was fetched whole.

    Args:
        path: The file.
        named_by: The flag or file that names it, for the error.

    Raises:
        FixData: It is missing, empty, cut short, or of another format.
    """
    try:
        _check(path)
    except FixData as error:
        where = ", ".join(part for part in (error.where, named_by) if part)
        raise FixData(error.rule, got=error.got, where=where, fix=error.fix) from error


def _check(path: Path) -> None:
    head = _head(path)
    if not head:
        raise _refused(path, "an empty file", "fetch or write it again")
    if head.startswith(_POINTER):
        raise _refused(path, "a pointer of Git LFS", "fetch the file itself with git lfs pull")
    if path.suffix == _ONNX and not head.startswith(_ONNX_START):
        raise _refused(path, *_what(head, "name a file that an export wrote"))
    if path.suffix not in _TORCHS:
        return
    if head.startswith(_ZIP):
        _check_archive(path)
    elif not head.startswith(_PICKLE):  # the format of torch before 1.6
        raise _refused(path, *_what(head, "name a file that torch.save wrote"))


def check_not_encrypted(path: Path, named_by: str = "") -> None:
    """Refuses a file that TAO encrypted with a key, by its name, its first bytes and its mark.

    Args:
        path: The file.
        named_by: The flag or key that names it, for the error.

    Raises:
        FixData: It is one.
    """
    is_torchs = _head(path).startswith((_ZIP, _PICKLE))
    is_foreign = path.suffix == _ENCRYPTED_EXPORT or (path.suffix == _OLD and not is_torchs)
    if is_foreign or _is_marked(path):
        raise encrypted(path, named_by)


def encrypted(path: Path, named_by: str = "") -> FixData:
    """The error for a file that TAO encrypted with a key."""
    return FixData(
        "a checkpoint must be readable without a key",
        got="one that TAO encrypted",
        where=", ".join(part for part in (str(path), named_by) if part),
        fix="train or export it again in the container of release 5 or later, which writes plain "
        ".pth and .onnx files",
    )


def _is_marked(path: Path) -> bool:
    """Whether a file that ``torch.save`` wrote says that its weights are encrypted."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.rpartition("/")[2] == _RECORD]
            return any(_MARK.search(archive.read(name)) for name in names)
    except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError):
        return False  # not such a file: others say what is wrong with it


def _head(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FixData("a checkpoint must be a regular file", got=str(path))
        with path.open("rb") as file:
            return file.read(_HEAD)
    except FileNotFoundError:
        nowhere = " (a link that leads nowhere)" if path.is_symlink() else ""
        raise FixData("a checkpoint must be a file that exists", got=f"{path}{nowhere}") from None
    except OSError as error:
        raise _refused(path, str(error.strerror), "make it readable") from error


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError) as error:
        raise _refused(path, f"a file that ends early ({error})", "copy it again") from error
    if damaged is not None:
        raise _refused(path, f"a file whose part {damaged} is damaged", "copy it again")
    if not any(name.rpartition("/")[2] == _RECORD for name in names):
        fix = "name the file that holds the weights"
        raise _refused(path, "a zip archive of something else", fix)


def _what(head: bytes, otherwise: str) -> tuple[str, str]:
    for start, words, fix in _OTHERS:
        if head.lstrip().startswith(start):
            return words, fix
    return "a file of another format", otherwise


def _refused(path: Path, got: str, fix: str) -> FixData:
    rule = "a checkpoint must be the file that a training saved"
    return FixData(rule, got=got, where=str(path), fix=fix)
