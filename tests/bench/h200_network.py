"""How fast the networks train on a GPU with nothing beside them: prints a table and the kernels.

Run it by hand: ``python tests/bench/h200_network.py [--models DLA34 fan_small] [--recorded]``. A
step is forward pass, loss, backward pass, gradient clipping and Adam on one batch that stays on
the GPU; ``--recorded`` replays it as trainings do. The limit of a network is its operations over
the rate at which the GPU multiplies large matrices of the same precision, which is measured first.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from automl.centerpose.config.model import Backbone, Model
from automl.centerpose.hardware.speed import compile_blocks
from automl.centerpose.models.build import build_network
from automl.centerpose.models.half import passed
from automl.centerpose.training.adam import Adam
from automl.centerpose.training.losses import LossWeights, centerpose_loss

GPU = torch.device("cuda", 0)
SIDE, CELLS, OBJECTS = 512, 128, 10
GFLOP_STEP = {"DLA34": 307.0, "fan_small": 806.0}  # forward and backward, one image
KINDS = (
    ("normalisation", r"^(moments|apply|grad_moments|apply_grad)$"),
    ("heads", r"^answer"),
    ("gates, upsampling, pooling", r"^(gates|enlarge|shrink|correlate|largest)(_grad)?$"),
    ("compiled", r"^triton_"),
    ("attention", r"flash|fmha|sdpa"),
    ("depthwise convolution", r"_c1_k1_|conv_depthwise"),
    ("convolution, matrix product", r"gemm|conv|cudnn|xmma|cutlass|wgrad|dgrad|fprop|nvjet"),
    ("optimizer, clipping", r"multi_tensor|Adam|foreach|lpnorm"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One way to train one network.

    Attributes:
        model: ``model.backbone.model_type``.
        precision: bf16 or tf32.
        mode: eager or compiled.
        batch: Images a step.
    """

    model: str
    precision: str
    mode: str
    batch: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What a case needed.

    Attributes:
        case: What was measured.
        first_step_s: Seconds from the built network to the end of its first step.
        images_s: Images a second, the median of several rounds.
        peak_gib: Most GPU memory in use at once.
        limit_images_s: Images a second if only the large matrix products took time.
        kernels: Milliseconds a step by kernel, longest first; empty if not asked for.
    """

    case: Case
    first_step_s: float
    images_s: float
    peak_gib: float
    limit_images_s: float
    kernels: tuple[tuple[str, float, float], ...]


def targets(batch: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Target maps such as three objects an image would give."""
    rows, corners = 1, 8 * OBJECTS
    shapes: dict[str, tuple[int, ...]] = {
        "wh": (OBJECTS, 2),
        "reg": (OBJECTS, 2),
        "hps": (OBJECTS, 16),
        "scale": (OBJECTS, 3),
    }
    made = {
        name: torch.randn(batch, rows, *shape, generator=generator, device=GPU)
        for name, shape in (shapes | {"hp_offset": (corners, 2)}).items()
    }
    for name, channels in (("hm", 1), ("hm_hp", 8)):
        size: tuple[int, ...] = (batch, rows, channels, CELLS, CELLS)
        soft = torch.rand(size, generator=generator, device=GPU) ** 8
        made[name] = torch.where(soft > 0.999, torch.ones_like(soft), soft)
    for name, n in (("ind", OBJECTS), ("hp_ind", corners)):
        size = (batch, rows, n)
        made[name] = torch.randint(CELLS**2, size, generator=generator, device=GPU)
    made["reg_mask"] = torch.ones(batch, rows, OBJECTS, device=GPU, dtype=torch.uint8)
    made["hps_mask"] = torch.ones(batch, rows, OBJECTS, 16, device=GPU, dtype=torch.uint8)
    made["hp_mask"] = torch.ones(batch, rows, corners, device=GPU, dtype=torch.uint8)
    return made


def stepper(case: Case) -> tuple[nn.Module, Callable[[], Tensor]]:
    """The network of a case and what does one step with it."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    generator = torch.Generator(GPU).manual_seed(0)
    network = build_network(Model(backbone=Backbone(model_type=case.model))).to(GPU)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if case.mode == "compiled":
        compile_blocks(network)
    parameters = list(network.parameters())
    optimizer = Adam(parameters, 1e-4)
    image = torch.randn(case.batch, 3, SIDE, SIDE, generator=generator, device=GPU)
    image = image.contiguous(memory_format=torch.channels_last)
    truth, weights = targets(case.batch, generator), LossWeights()

    def step() -> Tensor:
        with autocast(case.precision):
            outputs = passed(network, image)
        loss = centerpose_loss(outputs, truth, weights)
        for parameter in parameters:
            parameter.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 100.0)
        optimizer.step()
        return loss.detach()

    return network, step


def autocast(precision: str) -> AbstractContextManager[object]:
    return torch.autocast("cuda", dtype=torch.bfloat16, enabled=precision == "bf16")


def seconds_of(work: Callable[[], object], repeats: int, rounds: int = 3) -> float:
    """The median over some rounds of the seconds that one of many repeats takes."""
    found = []
    for _ in range(rounds):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        torch.cuda.synchronize()
        found.append((time.perf_counter() - start) / repeats)
    return statistics.median(found)


def ceiling(precision: str) -> float:
    """TFLOP/s of a large matrix product of random numbers."""
    torch.backends.cuda.matmul.allow_tf32 = True
    dtype, n = (torch.bfloat16 if precision == "bf16" else torch.float32), 8192
    one, two = (torch.randn(n, n, device=GPU, dtype=dtype) for _ in range(2))
    one @ two
    return 2 * n**3 / seconds_of(lambda: one @ two, 10) / 1e12


def kernels_of(step: Callable[[], object], steps: int = 3) -> tuple[tuple[str, float, float], ...]:
    """(name, milliseconds, launches) a step of every kernel, longest first."""
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        for _ in range(steps):
            step()
        torch.cuda.synchronize()
    rows = [
        (event.key, event.self_device_time_total / 1e3 / steps, event.count / steps)
        for event in seen.key_averages()
        if event.self_device_time_total
    ]
    return tuple(sorted(rows, key=lambda row: -row[1]))


def recorded(step: Callable[[], Tensor]) -> Callable[[], object]:
    """The step as one launch."""
    torch.cuda.empty_cache()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure(
    case: Case, tflops: float, *, steps: int, with_kernels: bool, replays: bool
) -> Measured:
    """Trains as the case says and keeps the time."""
    torch.manual_seed(0)
    torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    _, step = stepper(case)
    step().item()
    first = time.perf_counter() - start
    for _ in range(3):
        step()
    taken = recorded(step) if replays else step
    seconds = seconds_of(taken, steps)
    kernels = kernels_of(taken) if with_kernels else ()
    peak = torch.cuda.max_memory_allocated() / 2**30
    limit = tflops * 1e3 / GFLOP_STEP.get(case.model, float("inf"))
    return Measured(case, first, case.batch / seconds, peak, limit, kernels)


def kind_of(name: str) -> str:
    return next((kind for kind, pattern in KINDS if re.search(pattern, name)), "other")


def kernel_table(measured: Measured, n_rows: int) -> str:
    """The kernels of a step: by kind, then the longest."""
    kinds: dict[str, float] = {}
    for name, spent, _ in measured.kernels:
        kinds[kind_of(name)] = kinds.get(kind_of(name), 0.0) + spent
    lines = [f"{spent:9.2f} ms  {kind}" for kind, spent in sorted(kinds.items())]
    lines += [
        f"{spent:9.3f} ms {count:6.0f} x  {name[:110]}"
        for name, spent, count in measured.kernels[:n_rows]
    ]
    return "\n".join(lines)


def table(results: Sequence[Measured]) -> str:
    """One line a case, as Markdown."""
    lines = [
        "| model | precision | mode | batch | images/s | of the limit | peak GiB | first step s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for each in results:
        case, share = each.case, each.images_s / each.limit_images_s
        lines.append(
            f"| {case.model} | {case.precision} | {case.mode} | {case.batch} "
            f"| {each.images_s:.0f} | {share:.0%} of {each.limit_images_s:.0f} "
            f"| {each.peak_gib:.1f} | {each.first_step_s:.1f} |"
        )
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["DLA34", "fan_small"])
    parser.add_argument("--precisions", nargs="+", default=["bf16", "tf32"])
    parser.add_argument("--modes", nargs="+", default=["eager", "compiled"])
    parser.add_argument("--batch", type=int, default=32, help="images a step")
    parser.add_argument("--steps", type=int, default=8, help="steps a round, of three rounds")
    parser.add_argument("--recorded", action="store_true", help="replay steps as one launch each")
    parser.add_argument("--kernels", type=int, default=0, help="list so many kernels a case")
    parser.add_argument(
        "--cudnn-benchmark", action="store_true", help="let cuDNN time its algorithms"
    )
    parser.add_argument("--out", type=Path, help="write the figures here, as JSON")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    torch.backends.cudnn.benchmark = asked.cudnn_benchmark
    torch.backends.cudnn.deterministic = not asked.cudnn_benchmark  # the trainer's defaults
    ceilings = {precision: ceiling(precision) for precision in asked.precisions}
    results = []
    for model in asked.models:
        for precision in asked.precisions:
            for mode in asked.modes:
                torch.compiler.reset()
                case = Case(model, precision, mode, asked.batch)
                found = measure(
                    case,
                    ceilings[precision],
                    steps=asked.steps,
                    with_kernels=asked.kernels > 0,
                    replays=asked.recorded,
                )
                results.append(found)
                print(table([found]).splitlines()[-1], flush=True)
                if asked.kernels:
                    print(kernel_table(found, asked.kernels), flush=True)
                torch.cuda.empty_cache()
    rates = ", ".join(f"{name} {rate:.0f} TFLOP/s" for name, rate in ceilings.items())
    print(f"\n{torch.cuda.get_device_name()}, torch {torch.__version__}, {rates}\n")
    print(table(results))
    if asked.out:
        asked.out.write_text(json.dumps([asdict(each) for each in results], indent=1))


if __name__ == "__main__":
    main()
