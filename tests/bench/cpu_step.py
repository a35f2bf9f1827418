"""Where the time of ``nano``'s step goes on a CPU, and how near its convolutions are to the limit.

Run it by hand on a quiet machine: ``python tests/bench/cpu_step.py [--batch 8] [--size 512]``. The
limit is a large matrix product in fp32, measured on one thread and on all. Shares are those of
torch's profiler; the time of a step is taken without it. How fast whole trainings are says
``python tests/bench/h200_training.py OUT --cases nano:fp32 --batch 8 --images 320 --validate 64``.
"""

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from automl.centerpose.batches.batch import Batch, to_input
from automl.centerpose.batches.loader import make_loader, read_split
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.config.train import Train
from automl.centerpose.hardware.heap import keep_freed_memory
from automl.centerpose.models.nano import Nano
from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.training.losses import LossWeights, centerpose_loss
from automl.centerpose.training.optimiser import Optimiser
from automl.centerpose.training.process_group import SingleProcess
from automl.data.synth.make import synthesise
from automl.data.synth.request import MODERATE, SynthRequest

CPU = torch.device("cpu")
SIDE = 2048  # of the matrix product
STEPS = 24
GROUPS = {
    "convolutions": ("aten::mkldnn_convolution", "aten::convolution_backward"),
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm"),
    "batch normalisation": ("aten::native_batch_norm", "aten::native_batch_norm_backward"),
    "ReLU": ("aten::threshold_backward", "aten::clamp_min_"),
}


def main() -> None:
    """Prints the limit, the step, and its parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=512, help="input side, pixels")
    asked = parser.parse_args()
    keep_freed_memory()
    step = made_step(asked.batch, asked.size)
    with FlopCounterMode(display=False) as counter:
        step()
    gflop = counter.get_total_flops() / 1e9
    everything = torch.get_num_threads()
    for threads in sorted({1, everything}):
        torch.set_num_threads(threads)
        limit, took = product_rate(), seconds(step)
        print(f"{threads} threads: a step {1e3 * took:.1f} ms, {asked.batch / took:.1f} images/s;")
        print(
            f"  a large product {limit:.0f} GFLOP/s, at which the {gflop:.1f} GFLOP of the step's"
        )
        print(f"  convolutions and products would take {1e3 * gflop / limit:.1f} ms")
        for name, share in parts(step).most_common():
            print(f"  {name:<20} {100 * share:5.1f} %  {1e3 * share * took:6.1f} ms")


def made_step(batch: int, size: int) -> Callable[[], object]:
    """A step on one batch of synthetic images."""
    settings = Dataset(batch_size=batch, input_res=size, output_res=size // 4)
    with tempfile.TemporaryDirectory(prefix="automl-bench-") as folder:
        request = SynthRequest(train=batch, val=0, seed=1, difficulty=MODERATE)
        data = synthesise(request, Path(folder) / "data").folder
        split = read_split(str(data / "train"), "dataset.train_data", settings, 1)
        ready: Batch = next(make_loader(split, batch, 1, device=CPU).training(1, 0))
    torch.manual_seed(0)
    network = Nano()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.train()
    optimiser = Optimiser(network, Train(), SingleProcess((), Interrupt()))

    def step() -> None:
        optimiser.forget()
        loss = centerpose_loss(network(to_input(ready)), ready.targets, LossWeights())
        optimiser.backward(loss)
        optimiser.update()

    return step


def product_rate() -> float:
    """GFLOP/s of a large matrix product."""
    one, two = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    return 2e-9 * SIDE**3 / seconds(lambda: one @ two)


def seconds(work: Callable[[], object]) -> float:
    """The median of some runs, after two to warm up."""
    took = []
    for _ in range(STEPS + 2):
        began = time.monotonic()
        work()
        took.append(time.monotonic() - began)
    return statistics.median(took[2:])


def parts(step: Callable[[], object]) -> Counter[str]:
    """Which share of a step's time each group of operators takes."""
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(STEPS // 2):
            step()
    found: Counter[str] = Counter()
    for event in seen.key_averages():
        group = next((name for name, keys in GROUPS.items() if event.key in keys), "the rest")
        found[group] += event.self_cpu_time_total
    total = sum(found.values())
    return Counter({name: value / total for name, value in found.items()})


if __name__ == "__main__":
    main()
