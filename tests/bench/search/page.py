"""The tables of ``docs/search.md``, made from the results; a test holds the page to them.

    python -m tests.bench.search.page

writes them anew where they stand, found by their first line.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from automl.jsontext import read_json
from tests.bench.search.named import gain
from tests.bench.search.summary import RESULTS, Difference, Runs, Spread, read_all, row

__all__ = ["PAGE", "rewritten", "tables"]

PAGE = Path(__file__).parents[3] / "docs" / "search.md"
Results = Mapping[tuple[str, str], Runs]

_TODAY = "today@1"
_AUTO, _AUTO_FULL = "`auto`, `auto`", "`auto`, `full`"

_LEAD = {
    "`--sampler auto --fidelity auto`": "auto",
    "`--sampler auto --fidelity full`": "auto_full",
    "the default: `tpe`, `full`": "today",
    "Optuna's TPE, crashes told as the worst value": "optuna_tpe_worst",
    "Optuna's TPE and Hyperband": "optuna_tpe_hyperband",
    "Optuna's TPE and SuccessiveHalving": "optuna_tpe_halving",
    "Optuna's Gaussian process": "optuna_gp",
    "Ray's ASHA over random proposals": "ray_asha",
    "random": "random",
    "NVIDIA's tao_automl 7.2.0, hyperband, 10 seeds": "tao_hyperband_log",
    "the same, asha, 10 seeds": "tao_asha_log",
}
_FAMILIES = (
    ("2 settings", "default2"),
    ("2 settings, noise 0.03", "default2_noisy"),
    ("2 settings, no noise", "default2_exact"),
    ("6 settings", "six"),
    ("6 settings, noise 0.03", "six_noisy"),
    ("6 settings, one changes what the loss means", "six_misleading"),
    ("6 settings, the same, and the profile does not say so", "six_undeclared"),
    ("6 settings, the best begin slowly", "six_crossing"),
    ("6 settings, trainings diverge close to the best", "six_crash"),
    ("6 settings, one hill", "six_one"),
    ("12 settings, some conditional", "twelve"),
    ("2 settings, held out", "held_out2"),
    ("6 settings, held out", "held_out6"),
    ("6 settings, held out, no flat start", "held_out6_plain"),
    ("6 settings, held out, the best begin slowly", "held_out6_crossing"),
    ("12 settings, held out, noise 0.02", "held_out12"),
    ("real trainings, table B (43 rows)", "centerpose-B"),
    ("the same, seeds swapped", "centerpose-B-swapped"),
    ("real trainings, table C (38 rows)", "centerpose-C"),
    ("the same, seeds swapped", "centerpose-C-swapped"),
    ("TaskSet, LSTM128 (a loss)", "taskset-patch128_LSTM128_avg_bs64"),
    ("TaskSet, GRU128", "taskset-patch32_GRU128_bs128"),
    ("TaskSet, IRNN64", "taskset-patch32_IRNN64_relu_last_bs128"),
    ("TaskSet, VRNN128", "taskset-patch32_VRNN128_tanh_bs128"),
)
_OWN = {_AUTO: "auto", _AUTO_FULL: "auto_full", "`tpe`, `full`": "today"}
_COSTS = (10.0, 25.0, 50.0)
#: All families have noted whom they would name; these stand for them.
_NAMED = ("default2", "default2_noisy", "six", "six_noisy", "twelve", "held_out6")
_WIDE = {"2 settings": "default2", "6 settings": "six", "6 settings, held out": "held_out6"}
_IN_PLACES = {
    _AUTO: "auto",
    _AUTO_FULL: "auto_full",
    "`tpe`, `full`": "today",
    "Optuna's TPE": "optuna_tpe",
    "TPE and Hyperband": "optuna_tpe_hyperband",
    "Ray's ASHA": "ray_asha",
}
_WAYS = {
    "best value alone, 3 seeds": "best value alone, 3 seeds",
    "best by expectation alone, 3 seeds": "expected best alone, 3 seeds",
    "race of 3, 3 seeds": "race of 3, 3 seeds",
    "race of 4, 3 seeds": "race of 4, 3 seeds",
    "race of 3, auto": "race of 3, auto",
}


def tables() -> list[list[str]]:
    """Every table that is made from results, as lines of Markdown; the first one is its head."""
    results = read_all()
    confirmation = read_json(RESULTS / "confirmation.json")
    return [
        _lead(results),
        _gains(results),
        _named(results),
        _places(results),
        _ways(confirmation["ways"]),
    ]


def _lead(results: Results) -> list[str]:
    head = ["", "trainings to 0.79, 2 settings", "6 settings, @25", "6 settings, @50"]
    lines = [row(head), row(["---", "---:", "---:", "---:"])]
    for label, method in _LEAD.items():
        small, six = (results[family, f"{method}@1"] for family in ("default2", "six"))
        costs = Spread.of(list(small.costs().values()))
        values = [_spread(six, at) for at in (25.0, 50.0)]
        most = min(small.budget.values())
        lines.append(row([label, "" if costs is None else _short(costs, most), *values]))
    return lines


def _short(costs: Spread, most: float) -> str:
    """A spread of costs; one word where all quarters are beyond the budget."""
    text = costs.text(0, most)
    return f"> {most:.0f}" if costs.low == float("inf") else text


def _spread(runs: Runs, at: float) -> str:
    spread = Spread.of(list(runs.values(at).values()))
    return "" if spread is None else spread.text(3)


def _gains(results: Results) -> list[str]:
    lines = [row(["", "cost", _AUTO, _AUTO_FULL]), row(["---", "---:", "---:", "---:"])]
    for label, family in _FAMILIES:
        base = results[family, _TODAY]
        for at in (cost for cost in _COSTS if cost <= min(base.budget.values())):
            found = [
                Difference.of(ours.values(at), base.values(at), base.objective)
                for ours in (results[family, f"{method}@1"] for method in ("auto", "auto_full"))
            ]
            name = label if at == _COSTS[0] else ""
            lines.append(row([name, f"{at:g}", *map(_gain, found)]))
    return lines


def _gain(found: Difference | None) -> str:
    """``0.042 [0.019, 0.064]``, the mean bold where the whole interval is a loss."""
    if found is None:
        return ""
    mean = f"**{found.mean:.3f}**" if found.high < 0.0 else f"{found.mean:.3f}"
    return f"{mean} [{found.low:.3f}, {found.high:.3f}]"


def _named(results: Results) -> list[str]:
    """What naming by expectation gains over naming the best value, where names were noted."""
    head = ["named by expectation", "seeds", *(f"@{cost:g}" for cost in _COSTS)]
    lines = [row(head), row(["---", *["---:"] * (len(head) - 1)])]
    shown = [each for each in _FAMILIES if each[1] in _NAMED]
    for (label, family), (columns, method) in product(shown, _OWN.items()):
        found = [gain(results[family, f"{method}@1"], cost) for cost in _COSTS]
        n = max((each.n for each in found if each is not None), default=0)
        if n:
            lines.append(row([f"{label}: {columns}", str(n), *map(_gain, found)]))
    return lines


def _places(results: Results) -> list[str]:
    head = ["median @25", "places", *_IN_PLACES]
    lines = [row(head), row(["---", *["---:"] * (len(head) - 1)])]
    for label, family in _WIDE.items():
        for places in (1, 4, 8):
            runs = (results[family, f"{method}@{places}"] for method in _IN_PLACES.values())
            spreads = [Spread.of(list(each.values(25.0).values())) for each in runs]
            cells = ["" if each is None else f"{each.middle:.3f}" for each in spreads]
            lines.append(row([label if places == 1 else "", str(places), *cells]))
    return lines


def _ways(ways: Mapping[str, Any]) -> list[str]:
    head = [
        "",
        "called better where it is not",
        "gains above 0.01 found",
        "regret",
        "trainings after the search",
    ]
    lines = [row(head), row(["---", *["---:"] * (len(head) - 1)])]
    for label, way in _WAYS.items():
        found = ways[way]
        cells = [
            f"{100 * found['false positives']['share']:.1f} %",
            f"{100 * found['gains above 0.01 found']['share']:.0f} %",
            f"{found['regret']['mean']:.4f}",
            f"{found['trainings']['mean']:.1f}",
        ]
        lines.append(row([label, *cells]))
    return lines


def rewritten(page: str, made: Sequence[Sequence[str]]) -> str:
    """The page with each table in the place of the one that begins with the same line."""
    lines = page.splitlines()
    for table in made:
        start = [_plain(line) for line in lines].index(_plain(table[0]))
        end = start
        while end < len(lines) and lines[end].startswith("|"):
            end += 1
        lines[start:end] = table
    return "\n".join(lines) + "\n"


def _plain(line: str) -> str:
    return " ".join(line.split())


def main() -> None:
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")


if __name__ == "__main__":
    main()
