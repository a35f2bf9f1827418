import math
import os
from pathlib import Path

import pytest

from automl.jsontext import parse_json, read_json


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 5000, '{"a":' * 5000, b"\xff", "[1,]", "9" * 5000], ids=str
)
def test_what_cannot_be_read_is_one_kind_of_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_json(text)


def test_numbers_that_json_lacks_are_read_unless_refused() -> None:
    assert math.isnan(parse_json("NaN"))
    for word in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400"):
        with pytest.raises(ValueError, match="finite"):
            parse_json(f'{{"a": [{word}]}}', finite=True)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "value.json"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="regular"):
        read_json(pipe)


def test_a_file_beyond_all_measure_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match="more than 256 MiB"):
        read_json(path)


def test_a_device_is_not_read() -> None:
    with pytest.raises(ValueError, match="regular"):
        read_json(Path("/dev/zero"))
