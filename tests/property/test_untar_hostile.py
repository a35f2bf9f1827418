"""Whatever a tarball holds, extracting it writes below its own folder or is refused whole."""

import contextlib
import io
import tarfile
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from automl.data.untar import extract
from automl.errors import FixInput

_KINDS = (
    tarfile.REGTYPE,
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
    tarfile.CONTTYPE,
)
_PARTS = st.sampled_from(("a", "A", "b", "..", ".", "", "é", "e\u0301", "victim", "x" * 90))
_NAMES = st.builds(
    lambda root, parts: root + "/".join(parts),
    st.sampled_from(("", "", "", "/", "//", "./", "../")),
    st.lists(_PARTS, min_size=1, max_size=4),
)
_MEMBERS = st.lists(
    st.tuples(
        _NAMES,
        st.sampled_from((tarfile.REGTYPE, tarfile.REGTYPE, *_KINDS)),
        st.sampled_from(("/etc", "..", "../victim", "a", "victim")),
        st.binary(max_size=40),
    ),
    min_size=1,
    max_size=6,
)


def _packed(members: list[tuple[str, bytes, str, bytes]], path: Path) -> None:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, link, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode = kind, link, 0o6777
            is_file = kind in (tarfile.REGTYPE, tarfile.CONTTYPE)
            member.size = len(content) if is_file else 0
            archive.addfile(member, io.BytesIO(content))


@given(_MEMBERS)
def test_nothing_is_written_outside_and_nothing_odd_inside(
    members: list[tuple[str, bytes, str, bytes]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "victim").write_text("untouched")
        target = root / "cache" / "target"
        target.mkdir(parents=True)
        _packed(members, root / "train.tar.gz")
        with contextlib.suppress(FixInput):
            extract(root / "train.tar.gz", target)
        assert {path.name for path in root.iterdir()} == {"victim", "cache", "train.tar.gz"}
        assert [path.name for path in (root / "cache").iterdir()] == ["target"]
        assert (root / "victim").read_text() == "untouched"
        for path in target.rglob("*"):
            assert not path.is_symlink()
            assert path.is_file() or path.is_dir()
            assert path.is_dir() or path.stat().st_nlink == 1
            assert not path.stat().st_mode & 0o6000
