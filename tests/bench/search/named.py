"""What naming the winner by expectation is worth: against the trial with the best observed value.

    python -m tests.bench.search.named [--methods auto auto_full today]

Both are scored without noise (of a table of real trainings: by the seed that the search did not
see). A difference is the mean over the seeds of a result, with the bootstrap interval of 95 %;
above 0 the named trial is better.
"""

import argparse

from tests.bench.search.summary import Difference, Runs, read_all, row

__all__ = ["gain", "table"]

_COSTS = (10.0, 25.0, 50.0)


def gain(runs: Runs, at: float) -> Difference | None:
    """By how much the named trials are better after a cost; None where none were noted."""
    named = {
        seed: trace.named[f"{at:g}"]
        for seed, trace in runs.traces.items()
        if f"{at:g}" in trace.named
    }
    return Difference.of(named, runs.values(at), runs.objective)


def table(results: dict[tuple[str, str], Runs], methods: list[str]) -> list[str]:
    """A markdown table, a line a family and method that has noted names."""
    head = ("family", "method", "n", *(f"@{at:g}" for at in _COSTS))
    lines = [row(head), row(("---", "---", *["---:"] * (len(head) - 2)))]
    for (family, method), runs in sorted(results.items()):
        gains = [gain(runs, at) for at in _COSTS]
        if method.partition("@")[0] in methods and any(gains):
            texts = ("-" if one is None else one.text for one in gains)
            lines.append(row((family, method, str(len(runs.traces)), *texts)))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=["auto", "auto_full", "today"])
    print("\n".join(table(read_all(), parser.parse_args().methods)))


if __name__ == "__main__":
    main()
