"""A status file that grows between two looks is read as it is read at once."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.trainers.status import StatusReader
from tests.fuzzing.status import status_files

FILES = 10 if os.environ.get("CI") else 50


@given(content=status_files(), cuts=st.lists(st.integers(0, 4000), max_size=6).map(sorted))
@settings(max_examples=FILES)
def test_reading_odd_lines_in_pieces_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("odd") / "status.json"
    path.write_bytes(content)
    whole = StatusReader(path)
    expected = repr(whole.read(final=True))
    reader, readings = StatusReader(path), []
    for cut in cuts:
        path.write_bytes(content[:cut])
        readings += reader.read()
    path.write_bytes(content)
    readings += reader.read(final=True)
    assert repr(readings) == expected
    assert reader.note == whole.note
