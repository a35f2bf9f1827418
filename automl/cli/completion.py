"""``automl completion``: what a shell needs to complete commands, options and their values.

The script is made from the parser and the table of settings, and is plain text: completing starts
no Python.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from automl.app.study_settings import STUDY_SETTINGS
from automl.cli.parser import build_parser
from automl.settings.setting import Completion

__all__ = ["completion"]

_SETTINGS = {setting.flag: setting for setting in STUDY_SETTINGS if setting.has_flag}


@dataclass(frozen=True, slots=True)
class _Option:
    """One option of a command: whether a value follows it, and which words that may be.

    Where ``is_study`` it is the name of a study, which is looked up while completing.
    """

    flag: str
    help: str
    takes_value: bool
    words: tuple[str, ...] = ()
    completion: Completion = Completion.NOTHING
    is_study: bool = False
    short: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Command:
    """One command: its words behind ``automl``, what may follow them, its options."""

    path: tuple[str, ...]
    help: str
    followers: Mapping[str, str]
    options: tuple[_Option, ...]
    takes_study: bool = False


def completion(arguments: argparse.Namespace) -> int:
    """Prints the completion script of a shell."""
    commands = tuple(_commands(build_parser(), (), ""))
    print(_SHELLS[arguments.shell](commands), end="")
    return 0


def _commands(
    parser: argparse.ArgumentParser, path: tuple[str, ...], about: str
) -> Iterator[_Command]:
    """A command and those below it, from the parser."""
    below: dict[str, str] = {}
    groups = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    for group in groups:
        below |= {one.dest: one.help or "" for one in group._choices_actions}
    for positional in parser._actions:
        if not positional.option_strings and positional not in groups:
            below |= dict.fromkeys(map(str, positional.choices or ()), "")
    options = tuple(_option(one) for one in parser._actions if one.option_strings)
    takes_study = any(one.dest == "study" and not one.option_strings for one in parser._actions)
    yield _Command(path, about, below, options, takes_study)
    for group in groups:
        for name, command in group.choices.items():
            yield from _commands(command, (*path, name), below[name])


def _option(action: argparse.Action) -> _Option:
    flag = action.option_strings[-1]
    about = (action.help or "").partition(";")[0]
    takes_value = action.nargs != 0
    short = tuple(each for each in action.option_strings[:-1] if not each.startswith("--"))
    setting = _SETTINGS.get(flag)
    if setting is None or not takes_value or action.dest != setting.name:
        words = tuple(map(str, action.choices or ()))
        is_study = action.metavar == "STUDY"
        return _Option(flag, about, takes_value, words, is_study=is_study, short=short)
    form = setting.form
    return _Option(flag, about, takes_value, tuple(map(str, form.words())), form.completion)


_BASH = """\
# Completion of automl for bash. To use it now: source <(automl completion bash)
_automl_studies() {{
    local folder="${{AUTOML_STUDIES_DIR:-studies}}" i file
    for ((i = 1; i < ${{#COMP_WORDS[@]}} - 1; i++)); do
        [[ "${{COMP_WORDS[i]}}" == --studies-dir ]] && folder="${{COMP_WORDS[i+1]}}"
    done
    for file in "$folder"/*/resolved.json; do
        [[ -e "$file" ]] && file="${{file%/resolved.json}}" && echo "${{file##*/}}"
    done
}}
_automl() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
    local command="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$command:$word" in
            {paths}) command="${{command:+$command }}$word" ;;
        esac
    done
    COMPREPLY=()
    case "$command:$previous" in
{values}
    esac
    local words=""
    case "$command" in
{words}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _automl automl
"""


def _bash(commands: tuple[_Command, ...]) -> str:
    paths = [f'"{" ".join(one.path[:-1])}:{one.path[-1]}"' for one in commands if one.path]
    by_value: dict[str, list[str]] = {}
    for command in commands:
        for option in command.options:
            if option.takes_value:
                place = f'"{" ".join(command.path)}:{option.flag}"'
                by_value.setdefault(_bash_value(option), []).append(place)
    values = (f"        {'|'.join(places)}) {then}return ;;" for then, places in by_value.items())
    words = (
        f'        "{" ".join(one.path)}") words="{" ".join(_words_after(one))}" ;;'
        for one in commands
    )
    return _BASH.format(paths="|".join(paths), values="\n".join(values), words="\n".join(words))


def _bash_value(option: _Option) -> str:
    """The commands that complete an option's value; without any, bash completes files."""
    if option.is_study:
        return 'COMPREPLY=($(compgen -W "$(_automl_studies)" -- "$current")); '
    if option.words:
        return f'COMPREPLY=($(compgen -W "{" ".join(option.words)}" -- "$current")); '
    if option.completion is Completion.FOLDERS:
        return 'COMPREPLY=($(compgen -d -- "$current")); '
    return ""


def _words_after(command: _Command) -> list[str]:
    studies = ["$(_automl_studies)"] if command.takes_study else []
    flags = (flag for option in command.options for flag in (option.flag, *option.short))
    return [*command.followers, *flags, *studies]


def _zsh(commands: tuple[_Command, ...]) -> str:
    """Zsh understands the functions of bash once they are enabled."""
    return (
        "# Completion of automl for zsh. To use it now: source <(automl completion zsh)\n"
        "autoload -U +X compinit && compinit\n"
        "autoload -U +X bashcompinit && bashcompinit\n"
        f"{_bash(commands).partition(chr(10))[2]}"
    )


def _fish(commands: tuple[_Command, ...]) -> str:
    lines = [
        "# Completion of automl for fish. To use it now: automl completion fish | source",
        "function __automl_studies",
        "    set -l folder studies",
        "    set -q AUTOML_STUDIES_DIR; and set folder $AUTOML_STUDIES_DIR",
        "    for file in $folder/*/resolved.json; basename (dirname $file); end",
        "end",
    ]
    for command in commands:
        lines += _fish_lines(command)
    return "\n".join(lines) + "\n"


def _fish_lines(command: _Command) -> Iterator[str]:
    seen = "; and ".join(f"__fish_seen_subcommand_from {name}" for name in command.path)
    start = f"complete -c automl -n '{seen or '__fish_use_subcommand'}'"
    if command.takes_study:
        yield f"{start} -f -a '(__automl_studies)'"
    for name, about in command.followers.items():
        yield f"{start} -f -a {name} -d {_quoted(about)}"
    for option in command.options:
        line = f"{start} -l {option.flag.lstrip('-')} -d {_quoted(option.help)}"
        line += "".join(f" -s {short.lstrip('-')}" for short in option.short)
        if option.is_study:
            line += " -x -a '(__automl_studies)'"
        elif option.words:
            line += f" -x -a {_quoted(' '.join(option.words))}"
        elif option.takes_value:
            line += " -r"
        yield line


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_SHELLS: Mapping[str, Callable[[tuple[_Command, ...]], str]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
