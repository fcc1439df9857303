"""The harness: starts the workers, asks them in turn, and writes down what they answer.

It never imports NumPy or PyTorch itself, so that its own threads and memory stay out of the way.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles
from typing import Any, ClassVar

from .table import AVX2, BOUNDS, EXPERIMENTS, OURS, THREAD_POOLS, Bound, Experiment

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
RESULTS_AVX2 = ROOT / "benchmarks" / "results-avx2.json"
LONG = 0.5  # seconds: after such a call there is nothing to warm up
PAUSE = 0.25  # seconds: how long OpenBLAS's second thread may still spin after a product


class Worker:
    """A process for one library: ``ask`` sends a question and waits for the answer."""

    held_to: ClassVar[dict[str, str]] = {}  # instructions, by the libraries' own variables

    def __init__(self, library: str, threads: int) -> None:
        limits = {f"{name}_NUM_THREADS": str(threads) for name in THREAD_POOLS}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            cwd=ROOT,
            env=os.environ | limits | self.held_to,
        )

    def ask(self, question: str, argument: Any = None) -> Any:
        """Return the answer; raise ``RuntimeError`` if the process has died."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        with contextlib.suppress(BrokenPipeError):  # then it answers nothing
            print(json.dumps([question, argument]), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended at {question!r}, see its message above")
        return json.loads(line)

    def close(self) -> None:
        """Let the process end."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # it has ended before
                    pipe.close()
        self.process.wait()


def measure(experiment: Experiment, *, rounds: int) -> dict[str, Any]:
    """Ask the libraries in turn, A B A B …, for one timed block each."""
    workers = {name: Worker(name, experiment.threads) for name in experiment.libraries}
    libraries: dict[str, dict[str, Any]] = {}
    is_long: dict[str, bool] = {}
    try:
        for name, worker in workers.items():
            at_start = worker.ask("prepare", experiment.work)
            first = worker.ask("time", [1, False])
            once = worker.ask("time", [1, False])  # the first took up to a hundred times as long
            calls = max(1, round(experiment.block / once))
            is_long[name] = once > LONG
            libraries[name] = {
                "calls": calls,
                "first": first,  # what a cold start would have us believe
                "seconds": [],
                "peak_mb_before": at_start,
            }
        for _ in range(rounds):
            for name, worker in workers.items():
                if experiment.threads > 1:
                    time.sleep(PAUSE)
                calls = libraries[name]["calls"]
                found = worker.ask("time", [calls, not is_long[name]])
                libraries[name]["seconds"].append(found)
        for name, worker in workers.items():
            libraries[name]["peak_mb"] = worker.ask("peak memory")
            libraries[name] |= summary(libraries[name]["seconds"])
    finally:
        for worker in workers.values():
            worker.close()
    return {"title": experiment.title, "threads": experiment.threads, "libraries": libraries}


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the quartiles."""
    several = seconds if len(seconds) > 1 else [*seconds, *seconds]
    q1, middle, q3 = quantiles(several, n=4, method="inclusive")
    return {"median": middle, "q1": q1, "q3": q3}


def ratio(bound: Bound, experiment: dict[str, Any]) -> dict[str, Any]:
    """Return ours over theirs: the ratio of medians, and the quartiles of the blocks' ratios."""
    ours, theirs = (experiment["libraries"][name] for name in (OURS, bound.theirs))
    pairs = [a / b for a, b in zip(ours["seconds"], theirs["seconds"], strict=True)]
    spread = summary(pairs)
    value = ours["median"] / theirs["median"]
    return {
        "experiment": bound.experiment,
        "title": experiment["title"],
        "threads": experiment["threads"],
        "theirs": bound.theirs,
        "ratio": value,
        "q1": spread["q1"],
        "q3": spread["q3"],
        "at_most": bound.at_most,
        "holds": value <= bound.at_most,
    }


def machine() -> dict[str, Any]:
    """Return what the times depend on, and nothing that names the machine."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line
            for line in info.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    instructions = "AVX2" if Worker.held_to else "all"
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "instructions": instructions,
    }


def versions() -> dict[str, str]:
    """Return the versions of what is compared."""
    packages = ("nn_tutorial", "numpy", "torch", "scikit-learn")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def run(names: Sequence[str], *, quick: bool) -> dict[str, Any]:
    """Measure the named experiments, and look inside our own step if all were named."""
    started = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    experiments = {}
    for name in names:
        experiment = EXPERIMENTS[name]
        print(f"{experiment.title}: {', '.join(experiment.libraries)}", file=sys.stderr, flush=True)
        rounds = min(3, experiment.rounds) if quick else experiment.rounds
        experiments[name] = measure(experiment, rounds=rounds)
    worker = Worker(OURS, 1)
    try:
        inside = {
            question: worker.ask(question, 20 if quick else 500)
            for question in ("profile", "products", "rates", "held_memory")
        }
    finally:
        worker.close()
    return {
        "date": started.isoformat(),
        "machine": machine(),
        "versions": versions(),
        "rows": [
            ratio(b, experiments[b.experiment]) for b in BOUNDS if b.experiment in experiments
        ],
        "experiments": experiments,
        "inside": inside,
    }


def table(results: dict[str, Any]) -> str:
    """Return the results as text: each ratio, with its bound where it has one."""
    lines = [
        f"{'':38}{'threads':>7}{'ours, ms':>10}{'theirs, ms':>11}{'ratio':>7}  "
        f"{'quartiles':14}at most"
    ]
    rows = {(row["experiment"], row["theirs"]): row for row in results["rows"]}
    for name, experiment in results["experiments"].items():
        libraries = experiment["libraries"]
        lines.append(experiment["title"])
        for theirs in (other for other in libraries if other != OURS):
            asked = rows.get((name, theirs))
            row = asked or ratio(Bound(name, theirs, 0), experiment)
            milliseconds = (libraries[library]["median"] * 1e3 for library in (OURS, theirs))
            ours_ms, theirs_ms = (f"{value:.4g}" for value in milliseconds)
            spread = f"{row['q1']:.2f} to {row['q3']:.2f}"
            end = f"{asked['at_most']:.2f}{'' if asked['holds'] else '  CROSSED'}" if asked else ""
            lines.append(
                f"    vs {theirs:31}{experiment['threads']:7}{ours_ms:>10}{theirs_ms:>11}"
                f"{row['ratio']:7.2f}  {spread:13} {end}".rstrip()
            )
    lines += ["", "Memory held by a convolution from forward to backward, in times its input"]
    lines += [
        f"    {entry['shape']:20}{entry['kernel']:>5}, stride {entry['stride']}"
        f"   conv2d {entry['conv2d']:4.1f}   im2col {entry['conv2d_im2col']:4.1f}"
        for entry in results["inside"]["held_memory"]
    ]
    lines += ["", "Peak memory of the process, in MB (in brackets: before the work began)"]
    for name, experiment in results["experiments"].items():
        peaks = (
            f"{library} {found['peak_mb']:.0f} ({found['peak_mb_before']:.0f})"
            for library, found in experiment["libraries"].items()
        )
        lines.append(f"    {name:16}{', '.join(peaks)}")
    return "\n".join(lines)


def write(results: dict[str, Any], path: Path) -> None:
    """Write the results, whole or not at all."""
    from nn_tutorial.files import write_whole  # after the measurements: it brings NumPy along

    text = json.dumps(rounded(results), indent=1, ensure_ascii=False)
    with write_whole(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")


def rounded(value: Any) -> Any:
    """Return the same with numbers of five digits: no clock is better."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three blocks each: does it run?")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, metavar="NAME", help="these only")
    parser.add_argument("--output", type=Path, help="default: results.json, if it is a full run")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bound is crossed")
    told = "hold all libraries to AVX2, as on a processor without AVX-512; results-avx2.json"
    parser.add_argument("--avx2", action="store_true", help=told)
    options = parser.parse_args(arguments)
    Worker.held_to = AVX2 if options.avx2 else {}
    results = run(options.only or list(EXPERIMENTS), quick=options.quick)
    print(table(results))
    whole = RESULTS_AVX2 if options.avx2 else RESULTS
    output = options.output or (None if options.quick or options.only else whole)
    if output is not None:
        write(results, output)
    return int(options.check and not all(row["holds"] for row in results["rows"]))
