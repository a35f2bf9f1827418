"""``automl completion`` as it is declared; ``completion`` makes the scripts of all commands."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_completion"]


def add_completion(commands: "Commands") -> None:
    """Declares the command."""
    text = "print the completion script of a shell"
    command = commands.add_parser(
        "completion", help=text, description=f"{text[0].upper()}{text[1:]}."
    )
    command.epilog = "bash, zsh: source <(automl completion bash); fish: ... | source"
    command.set_defaults(handler="automl.cli.completion:completion")
    command.add_argument("shell", choices=("bash", "zsh", "fish"))
