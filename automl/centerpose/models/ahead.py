"""The GPU kernels of a training, compiled side by side before they are asked for.

Triton compiles a kernel when it is first launched, one after another: a first step of DLA34 would
wait twenty seconds for them. ``kernels.json`` beside this module lists what trainings have
launched; here all of that is compiled into Triton's cache by processes that need no torch, while
the training imports its own. A kernel that is missing in the list, or has changed since, is
compiled when it is launched, as ever.

::

    python -m automl.centerpose.models.ahead MODEL_TYPE PRECISION
"""

import hashlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from automl.centerpose.models.compiler import has_compiler
from automl.data.cache import cache_dir
from automl.jsontext import read_json

__all__ = ["LISTED", "compiling", "entry_of", "listed"]

LISTED: Final = Path(__file__).with_name("kernels.json")
"""What trainings have launched: ``kernels``, and per training the places of its own in them."""

_SOURCES = "*_passes_gpu.py"
_MOST_PROCESSES = 16
_ALIGNED = [["tt.divisibility", 16]]
_SMI = ("nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader")


@contextmanager
def compiling(model_type: str, precision: str) -> Iterator[None]:
    """Compiles the kernels of a training in processes of its own while the block runs.

    Nothing is started where it was tried before, or there is no GPU, no Triton or no C compiler.

    Args:
        model_type: ``model.backbone.model_type``.
        precision: ``train.precision``.
    """
    tried = _mark(model_type, precision)
    if tried is None or tried.exists() or not listed(model_type, precision):
        yield
        return
    command = [sys.executable, "-m", __name__, model_type, precision]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            yield
        finally:
            process.terminate()


def listed(model_type: str, precision: str) -> list[dict[str, Any]]:
    """The kernels that are known of a training; none if it is not known."""
    found = read_json(LISTED)
    places = found["trainings"].get(f"{model_type} {precision}", ())
    return [found["kernels"][place] for place in places]


def entry_of(
    name: str, signature: Mapping[str, str], constants: Mapping[Any, Any], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """A kernel as the list has it, from what Triton tells of one that it compiles.

    Args:
        name: ``module:function``.
        signature: The type of each argument.
        constants: What is known when it is compiled, by place.
        facts: ``num_warps``, ``num_stages`` and, first in ``configs``, what is known of arguments.
    """
    return {
        "kernel": name,
        "signature": dict(signature),
        "constants": [[list(place), value] for place, value in constants.items()],
        "aligned": sorted(place[0] for place, known in facts["configs"][0].items() if known),
        "options": {key: facts[key] for key in ("num_warps", "num_stages")},
    }


def _mark(model_type: str, precision: str) -> Path | None:
    """The file that says that this was tried; None where it cannot be done."""
    if not (shutil.which(_SMI[0]) and has_compiler()):
        return None
    try:
        triton = version("triton")
    except PackageNotFoundError:
        return None
    known = hashlib.sha256(f"{triton} {model_type} {precision}".encode())
    package = LISTED.parent.parent
    for path in (LISTED, *sorted(package.rglob(_SOURCES))):
        known.update(path.read_bytes())
    return cache_dir() / "kernels" / known.hexdigest()[:16]


def _compile(entry: Mapping[str, Any], capability: int) -> bool:
    """Puts a kernel and what launches it into Triton's cache."""
    from triton.backends.compiler import GPUTarget
    from triton.backends.nvidia.driver import CudaLauncher
    from triton.compiler import ASTSource, compile

    module, name = entry["kernel"].split(":")
    function, signature = getattr(import_module(module), name), entry["signature"]
    # Triton asks of each number and each pointer whether sixteen divides it, unless told not to.
    asked = {
        (place,): _ALIGNED if place in entry["aligned"] else []
        for place, (argument, kind) in enumerate(signature.items())
        if kind.startswith(("*", "i")) and argument not in function.do_not_specialize
    }
    constants = {tuple(place): value for place, value in entry["constants"]}
    source = ASTSource(function, signature, constants, asked)
    target = GPUTarget("cuda", capability, 32)
    kernel = compile(source, target=target, options=entry["options"])
    CudaLauncher(kernel.src, kernel.metadata)
    return True


def _capability() -> int:
    """Of the first GPU, as 90 for 9.0."""
    said = subprocess.run(_SMI, capture_output=True, text=True, check=True).stdout
    return int(said.split()[0].replace(".", ""))


def _compile_all(model_type: str, precision: str) -> None:
    tried = _mark(model_type, precision)
    if tried is not None:  # once, whatever comes of it: a launch compiles what is missing
        tried.parent.mkdir(parents=True, exist_ok=True)
        tried.touch()
    from triton.backends.nvidia.driver import CudaUtils

    CudaUtils()  # what every kernel needs; and imported once, before the processes part
    capability, entries = _capability(), listed(model_type, precision)
    n_processes = min(_MOST_PROCESSES, len(os.sched_getaffinity(0)), len(entries))
    # Those that take longest are listed last.
    with multiprocessing.get_context("fork").Pool(n_processes) as pool:
        work = [(entry, capability) for entry in reversed(entries)]
        pool.starmap(_compile, work, chunksize=1)


def main(argv: Sequence[str]) -> None:
    """Compiles the kernels of one training."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the pool ends its processes
    model_type, precision = argv
    _compile_all(model_type, precision)


if __name__ == "__main__":
    main(sys.argv[1:])
