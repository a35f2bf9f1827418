"""``automl compare``: trials side by side, of one study or of several."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.carried import studies_dir
from automl.cli.json_out import print_json
from automl.cli.read_commands import note, of_study
from automl.cli.terminal import text_width
from automl.errors import FixInput

if TYPE_CHECKING:
    from automl.app.side_by_side import Difference, Side, SideBySide
    from automl.cli.usage import Parser
    from automl.reports.model import Summary
    from automl.skill.tree import ParamValue

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_compare", "compare", "comparison_text"]

_ABSENT = "-"
#: Longest value of a setting in the table; the whole one is in the JSON.
_WIDEST = 28
#: Words that always mean a trial.
_TRIALS = ("best", "baseline", "default", "last")


def add_compare(commands: "Commands") -> None:
    """Declares the command."""
    text = "show trials side by side: values, cost, and in what they differ"
    command = commands.add_parser(
        "compare",
        help=text,
        description=f"{text.capitalize()}.\n\nA trial is a number, best, default or last; "
        "STUDY:TRIAL is one of another study\nof the same metric and validation images. "
        "The others are measured against the first.",
    )
    command.set_defaults(handler="automl.cli.compare_commands:compare", study=None)
    command.add_argument(
        "trials",
        nargs="+",
        metavar="TRIAL",
        help="two or more, then maybe their study: 17 default OTHER:best bikes",
    )
    command.add_argument(
        "--study", dest="name", metavar="STUDY", help="the study, as a flag (default: the newest)"
    )
    command.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="folder of studies (default: studies)"
    )
    command.add_argument(
        "--all-keys", action="store_true", help="searched settings that do not differ too"
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def compare(arguments: argparse.Namespace) -> int:
    """Compares trials."""
    from automl.app.compare import compare as compared

    _take_study(arguments)
    if len(arguments.trials) < 2:
        raise FixInput(
            "a comparison needs two trials",
            got=arguments.trials[0],
            fix=f"automl compare {arguments.trials[0]} default",
        )
    made = compared(_asked(arguments))
    for text in made.notes:
        note(text)
    if arguments.json:
        print_json("automl.compare/1", made.to_json())
    else:
        print(comparison_text(made, all_keys=arguments.all_keys, width=text_width()))
    return 0


def _take_study(arguments: argparse.Namespace) -> None:
    """A last word that no trial is called by, and a study is, names the study of the others."""
    from automl.study.folder import list_studies

    *trials, last = map(str, arguments.trials)
    is_trial = last.isdigit() or last in _TRIALS or ":" in last
    if is_trial or arguments.name is not None or not trials:
        return
    if last in {paths.folder.name for paths in list_studies(studies_dir(arguments))}:
        arguments.trials, arguments.name = trials, last


def _asked(arguments: argparse.Namespace) -> "list[tuple[Summary, str]]":
    from automl.reports.summary import read_summary
    from automl.study.choice import find_study

    known: dict[str, Summary] = {}
    asked = []
    for word in map(str, arguments.trials):
        study, _, trial = word.rpartition(":")
        if study not in known:
            known[study] = (
                read_summary(find_study(studies_dir(arguments), study).folder)
                if study
                else of_study(arguments, read_summary)
            )
        asked.append((known[study], trial))
    return asked


# Text


def comparison_text(made: "SideBySide", *, all_keys: bool = False, width: int = 100) -> str:
    """The table of a comparison, and below it what the differences are worth.

    Args:
        made: The comparison.
        all_keys: Whether searched settings that do not differ are shown too.
        width: Columns; what does not fit beside the first trial stands in a further table.
    """
    from automl.reports.hanging import hung

    rows = [
        ("", *(side.name for side in made.sides)),
        *_facts(made),
        *_settings(made, all_keys=all_keys),
    ]
    lines: list[str] = []
    for columns in _fitting(rows, width):
        lines += [*([""] if lines else []), *_table([[row[i] for i in columns] for row in rows])]
    if not made.keys:
        lines.append("they differ in no setting")
    told = [_told(each, made.sides[0]) for each in made.differences]
    return "\n".join([*lines, *hung(told, width)])


def _fitting(rows: Sequence[Sequence[str]], width: int) -> Iterator[list[int]]:
    """The columns of each table: always the label and the first trial, then what fits."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    columns, used = [0, 1], widths[0] + 2 + widths[1]
    for i in range(2, len(widths)):
        if len(columns) > 2 and used + 2 + widths[i] > width:
            yield columns
            columns, used = [0, 1], widths[0] + 2 + widths[1]
        columns.append(i)
        used += 2 + widths[i]
    yield columns


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    return [lines[0], "─" * max(map(len, lines)), *lines[1:]]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    label, *cells = row
    padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
    return "  ".join((f"{label:<{widths[0]}}", *padded)).rstrip()


def _facts(made: "SideBySide") -> list[tuple[str, ...]]:
    from automl.reports import words

    better = {each.name: each.better for each in made.differences}

    def chance(side: "Side") -> str:
        share = better.get(side.name)
        return _ABSENT if share is None else f"{share:.2f}"

    table: tuple[tuple[str, Callable[[Side], str]], ...] = (
        ("state", lambda side: side.state),
        ("validation images", _images),
        (f"{made.metric}  best epoch", _best),
        (
            "fresh seeds, mean ± sd",
            lambda side: _ABSENT if side.seeds is None else side.seeds.spread,
        ),
        ("fresh seeds, n", _n_seeds),
        ("expected of another seed", _expected),
        (f"P(better than {made.sides[0].name})", chance),
        ("test images", lambda side: words.value(side.test)),
        ("wall", lambda side: words.duration(side.seconds)),
        ("GPU hours", lambda side: f"{side.gpu_seconds / 3600:.2f}" if side.gpu_seconds else "-"),
        ("peak GPU memory, GiB", _peak),
    )
    rows = [(label, *(cell(side) for side in made.sides)) for label, cell in table]
    return [row for row in rows if set(row[1:]) != {_ABSENT}]


def _best(side: "Side") -> str:
    from automl.reports import words

    return _ABSENT if side.epoch is None else f"{words.value(side.value)} @{side.epoch}"


def _n_seeds(side: "Side") -> str:
    if side.seeds is None:
        return _ABSENT
    failed = f", {side.seeds.n_failed} failed" if side.seeds.n_failed else ""
    return f"{len(side.seeds.values)}{failed}"


def _images(side: "Side") -> str:
    return _ABSENT if side.images is None else str(side.images)


def _expected(side: "Side") -> str:
    from automl.reports import words

    if side.expected is None or side.expected_sd is None:
        return _ABSENT
    return f"{words.value(side.expected)} ± {words.value(side.expected_sd)}"


def _peak(side: "Side") -> str:
    return _ABSENT if side.peak_memory_gib is None else f"{side.peak_memory_gib:.2f}"


def _settings(made: "SideBySide", *, all_keys: bool) -> list[tuple[str, ...]]:
    keys = (*made.keys, *(made.same_keys if all_keys else ()))
    return [(key, *(_value(side.settings, key) for side in made.sides)) for key in keys]


def _value(settings: "Mapping[str, ParamValue]", key: str) -> str:
    from automl.reports import words

    if key not in settings:
        return _ABSENT
    return words.one_line(words.param(settings[key]), _WIDEST)


def _told(difference: "Difference", first: "Side") -> str:
    from automl.reports import words

    pair = f"{difference.name} minus {first.name}: {words.signed(difference.value)}"
    if difference.low is None or difference.high is None:
        return f"{pair} ({difference.by})"
    ends = f"{words.signed(difference.low)} to {words.signed(difference.high)}"
    said = "" if difference.is_separable else ": not separable"
    return f"{pair}, 95 % interval {ends}{said} ({difference.by})"
