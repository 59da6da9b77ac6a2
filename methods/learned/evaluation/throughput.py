"""``python -m methods.learned.evaluation.throughput``: how fast the networks run.

Operations are counted from the architecture (two per multiply-add of every convolution);
the peak is the machine's own matrix product, measured before every network, since a shared machine
is not always as fast. CUDA is timed by events.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.devices import check_device
from bench.core.errors import BenchError
from methods.learned.inference.focusmap import focus
from methods.learned.inference.forward import Forward, pairwise, shipped, stacked

SIDE = 512

#: Method, network, how it is applied, and whether in bfloat16 where a processor has it.
TIMED: tuple[tuple[str, str, Forward, bool], ...] = (
    ("fcn", "gray", pairwise, True),
    ("fcn-w", "gray", pairwise, True),
    ("fcn-x", "gray", stacked, True),
    ("fcn-s", "gray", stacked, True),
    ("cnn", "gray", focus, True),
    ("srcnn", "x1", stacked, False),
)


def count_operations(network: nn.Module, forward: Forward, stack: Tensor) -> float:
    """Floating-point operations of the convolutions in one call."""
    total = 0

    def hook(layer: Any, inputs: Any, output: Tensor) -> None:
        nonlocal total
        _, channels, height, width = layer.weight.shape
        total += 2 * output.numel() * channels * height * width

    handles = [
        layer.register_forward_hook(hook)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    with torch.enable_grad():  # else some networks work in row tiles, whose borders count twice
        forward(network, stack)
    for handle in handles:
        handle.remove()
    return float(total)


def milliseconds(call: Callable[[], Any], device: torch.device, repeats: int) -> float:
    """Median time of `call`, after two calls that do not count."""
    times = []
    for k in range(repeats + 2):
        if device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            call()
            end.record()
            end.synchronize()
            spent = start.elapsed_time(end)
        else:
            began = time.perf_counter()
            call()
            spent = 1e3 * (time.perf_counter() - began)
        if k >= 2:
            times.append(spent)
    return statistics.median(times)


def graphed(call: Callable[[], Any]) -> Callable[[], Any]:
    """`call` captured as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def peak(device: torch.device, dtype: torch.dtype, side: int | None = None) -> float:
    """Operations per second of a large matrix product."""
    side = side or (8192 if device.type == "cuda" else 1536)
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return 2 * side**3 / (1e-3 * milliseconds(lambda: a @ b, device, 10))


def measure(
    device: torch.device, repeats: int, batches: tuple[int, ...], *, compiled: bool = False
) -> list[str]:
    """One line per network and way of running it."""
    lines = [f"{_name(device)}, torch {torch.__version__}"]
    lines.append(f"{SIDE} x {SIDE} pairs; peak: a matrix product of the same format")
    lines.append(
        "network  format    batch  run as   GFLOP/pair  ms/pair  pairs/s  TFLOP/s     peak  "
        "share of peak"
    )
    for method, part, forward, bf16 in TIMED:
        network = shipped(method, part, device.type, bf16=bf16)
        dtype = next(network.parameters()).dtype
        top = peak(device, dtype)
        for batch in batches:
            stack = torch.rand(batch, 2, 1, SIDE, SIDE, device=device)
            work = count_operations(network, forward, stack) / batch

            def call(
                network: nn.Module = network, forward: Forward = forward, stack: Tensor = stack
            ) -> Tensor:
                return forward(network, stack)

            with torch.inference_mode():
                for way, prepared in _ways(call, network, forward, stack, compiled):
                    ms = milliseconds(prepared, device, repeats) / batch
                    rate = work / (1e-3 * ms)
                    kind = str(dtype).removeprefix("torch.")
                    lines.append(
                        f"{method:7s}  {kind:8s}  {batch:5d}  {way:7s}  {work / 1e9:10.1f}  "
                        f"{ms:7.3f}  {1e3 / ms:7.1f}  {rate / 1e12:7.2f}  {top / 1e12:7.2f}  "
                        f"{rate / top:13.0%}"
                    )
                    sys.stderr.write(lines[-1] + "\n")
    return lines


def _ways(
    call: Callable[[], Any],
    network: nn.Module,
    forward: Forward,
    stack: Tensor,
    compiled: bool,
) -> list[tuple[str, Callable[[], Any]]]:
    """Eagerly; on CUDA also as a graph, and as one of the compiled network."""
    ways = [("eager", call)]
    if stack.device.type != "cuda":
        return ways
    ways.append(("graph", graphed(call)))
    if compiled:
        fast: Any = torch.compile(network, dynamic=False)
        forward(fast, stack)
        ways.append(("compile", graphed(lambda: forward(fast, stack))))
    return ways


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m methods.learned.evaluation.throughput", description=__doc__
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="on CUDA, torch.compile as well")
    parser.add_argument("--batches", type=int, nargs="+", default=[1])
    args = parser.parse_args(argv)
    try:
        check_device(args.device)
        lines = measure(
            torch.device(args.device), args.repeats, tuple(args.batches), compiled=args.compile
        )
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
