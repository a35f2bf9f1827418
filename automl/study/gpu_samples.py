"""What the GPUs of a study did: a sample of each of them every few seconds while it is driven.

While a driver runs it appends to ``gpu.jsonl``, one sample a line; at its end, and with each
report, all of it goes into ``gpu.parquet``. A reader sees both as one, at any time.
"""

import io
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from automl.files import write_bytes
from automl.inside import read_file, writable
from automl.jsontext import parse_json
from automl.study.layout import StudyPaths

__all__ = [
    "GpuSample",
    "append_samples",
    "latest_samples",
    "put_away",
    "read_samples",
    "recent_samples",
    "write_samples",
]

#: Bytes at the end of the log that hold the newest samples.
_TAIL_BYTES = 3 << 16
_COLUMNS: Final = MappingProxyType(
    {
        "time": pa.float64(),
        "gpu": pa.string(),
        "index": pa.int32(),
        "utilisation": pa.float64(),
        "memory_used": pa.int64(),
        "power": pa.float64(),
    }
)


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One GPU at one moment, whoever uses it.

    Attributes:
        time: Unix time, seconds.
        gpu: The UUID of the GPU.
        index: The driver's number for it, from 0.
        utilisation: Percent of the last moment in which a kernel ran, 0 to 100; NaN if unknown.
        memory_used: Bytes.
        power: Watts; NaN if unknown.
    """

    time: float
    gpu: str
    index: int
    utilisation: float
    memory_used: int
    power: float = math.nan


def append_samples(paths: StudyPaths, samples: Iterable[GpuSample]) -> None:
    """Adds samples at the end of the log, in one write.

    Raises:
        FixInput: A link stands in its place.
        OSError: It cannot be written.
    """
    lines = [json.dumps(_plain(sample)) + "\n" for sample in samples]
    if not lines:
        return
    file = writable(paths.gpu_log, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(file, "".join(lines).encode())
    finally:
        os.close(file)


def _plain(sample: GpuSample) -> dict[str, Any]:
    """As strict JSON has it: what is unknown is null."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(sample).items()
    }


def read_samples(folder: Path) -> list[GpuSample]:
    """Every sample of the study in a folder, by time and then by index; empty without any.

    A line or a table that cannot be read is passed over: nothing else depends on it.
    """
    paths = StudyPaths(folder)
    found = {(each.time, each.gpu): each for each in (*_table(paths), *_log(paths))}
    return sorted(found.values(), key=lambda each: (each.time, each.index))


def recent_samples(folder: Path) -> list[GpuSample]:
    """The newest samples in the log, oldest first: of eight GPUs a quarter of an hour."""
    return _log(StudyPaths(folder), _TAIL_BYTES)


def latest_samples(folder: Path) -> list[GpuSample]:
    """The newest sample of each GPU in the log, by index; empty where no driver has sampled."""
    newest = {each.gpu: each for each in recent_samples(folder)}
    return sorted(newest.values(), key=lambda each: each.index)


def write_samples(paths: StudyPaths) -> Path | None:
    """Writes the table of all samples, whole; None where there are none, and no table.

    Raises:
        FixInput: A link stands in its place.
        OSError: It cannot be written.
    """
    samples = read_samples(paths.folder)
    if not samples:
        return None
    columns = [
        pa.array([getattr(each, name) for each in samples], type=kind)
        for name, kind in _COLUMNS.items()
    ]
    buffer = io.BytesIO()
    schema = pa.schema(list(_COLUMNS.items()))
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), buffer, compression="zstd")
    write_bytes(paths.gpu_table, buffer.getvalue(), paths.folder)
    return paths.gpu_table


def put_away(paths: StudyPaths) -> None:
    """Moves what is in the log into the table; for the driver alone, once it samples no more."""
    if write_samples(paths) is not None:
        paths.gpu_log.unlink(missing_ok=True)


def _log(paths: StudyPaths, newest_bytes: int | None = None) -> list[GpuSample]:
    try:
        with read_file(paths.gpu_log) as file:
            if newest_bytes is not None:
                file.seek(max(0, os.fstat(file.fileno()).st_size - newest_bytes))
            lines = file.read().split(b"\n")
    except OSError:
        return []
    return [sample for line in lines if (sample := _parsed(line)) is not None]


def _parsed(line: bytes) -> GpuSample | None:
    """The sample of a line; None for half a line, or one that holds something else."""
    try:
        return _sample(parse_json(line))
    except (ValueError, KeyError, TypeError):
        return None


def _table(paths: StudyPaths) -> list[GpuSample]:
    try:
        with read_file(paths.gpu_table) as file:
            table = pq.read_table(io.BytesIO(file.read()))
        return [_sample(row) for row in table.to_pylist()]
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        return []


def _sample(row: Mapping[str, Any]) -> GpuSample:
    """The sample of a row.

    Raises:
        KeyError, TypeError, ValueError: It is none.
    """
    time = float(row["time"])
    if not math.isfinite(time):
        raise ValueError("a sample has a time")
    return GpuSample(
        time,
        str(row["gpu"]),
        int(row["index"]),
        _known(row["utilisation"]),
        int(row["memory_used"]),
        _known(row["power"]),
    )


def _known(value: Any) -> float:
    return math.nan if value is None else float(value)
