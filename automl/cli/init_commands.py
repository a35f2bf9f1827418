"""``automl init``: a first study file for the data that lies here."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.json_out import print_json
from automl.cli.paths import shown
from automl.cli.read_commands import note

if TYPE_CHECKING:
    from automl.app.found_data import FoundSplit
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_init", "init"]

_SPLITS = ("train", "val", "test")


def add_init(commands: "Commands") -> None:
    """Declares the command."""
    text = "write a first study file, with comments, for the data found below a folder"
    command = commands.add_parser("init", help=text, description=f"{text.capitalize()}.")
    command.set_defaults(handler="automl.cli.init_commands:init")
    command.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: this folder"
    )
    for split in _SPLITS:
        command.add_argument(
            f"--{split}", type=Path, metavar="PATH", help=f"{split} split, instead of looking"
        )
    command.add_argument("--model", metavar="BACKBONE", default="", help="default: by the machine")
    command.add_argument(
        "--out", type=Path, default=Path("study.yaml"), metavar="FILE", help="default: study.yaml"
    )
    command.add_argument(
        "--from-script",
        type=Path,
        metavar="FILE",
        help="instead a skill for a training script: the script, its YAML file or its --help text",
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def init(arguments: argparse.Namespace) -> int:
    """Looks for data, proposes settings and writes the file, never over another one."""
    from automl.app.machine import detect_machine
    from automl.app.study_draft import check_new, draft, draft_text
    from automl.files import write_text

    if arguments.from_script is not None:
        return _skill(arguments)
    out = Path(arguments.out)
    check_new(out)
    made = draft(_splits(arguments), detect_machine(), arguments.model)
    text = draft_text(made, out)
    write_text(out, text)
    if arguments.json:
        splits = {split: str(found.path) for split, found in made.splits.items()}
        print_json("automl.init/1", {"file": str(out.absolute()), "data": splits, "text": text})
        return 0
    if "val" not in made.splits:
        note("no validation data was found: the file says where to put it")
    if not made.category:
        note("which class to train is not known: the file says where to put it")
    print(text, end="")
    print(f"\nwrote {shown(out.absolute())}; next: automl plan {shown(out.absolute())}")
    return 0


def _skill(arguments: argparse.Namespace) -> int:
    """Drafts a skill beside a training script; what its options are is read without running it."""
    from automl.app.skill_draft import draft_skill, write_draft
    from automl.errors import FixInput

    if arguments.folder != Path():
        raise FixInput(
            "a skill is drafted beside its script",
            got=str(arguments.folder),
            where="DIR",
            fix="leave the folder out; it is that of --from-script",
        )
    source = Path(arguments.from_script)
    folder = source.absolute().parent
    script = source.with_suffix(".py") if source.suffix != ".py" else source
    name = folder.name or script.stem
    files = draft_skill(source, Path(script.name), name)
    write_draft(folder, files)
    if arguments.json:
        print_json("automl.init/1", {"skill": str(folder), "files": sorted(files)})
        return 0
    for file in files:
        print(f"wrote {shown(folder / file)}")
    where = shown(folder)
    print(f"next: ranges in {where}/references/search_profile.yaml")
    print(f"then: automl plan --skill-dir {where} --space profile")
    return 0


def _splits(arguments: argparse.Namespace) -> "dict[str, FoundSplit]":
    from automl.app.found_data import find_splits, look_at
    from automl.errors import FixInput

    named = {split: getattr(arguments, split) for split in _SPLITS}
    named = {split: path for split, path in named.items() if path is not None}
    for split, path in named.items():
        if not path.exists():
            raise FixInput(f"{split} data must exist", got=str(path), where=f"--{split}")
    found = {} if "train" in named else find_splits(arguments.folder)
    found |= {split: look_at(path) for split, path in named.items()}
    return {split: found[split] for split in _SPLITS if split in found}
