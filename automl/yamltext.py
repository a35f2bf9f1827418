"""YAML as this package reads and writes it: the numbers of YAML 1.2, the words of plain JSON.

PyYAML follows YAML 1.1, where ``1e-4`` is text, ``on`` is true, ``1:30`` is 90 and ``2024-01-01``
is a date. In the settings of a training none of that is what its writer meant. Reading here knows
JSON's words and the numbers of YAML 1.2, so ``1e-4`` is a number and ``on``, ``off``, ``yes`` and
``no`` stay text: whoever reads a switch accepts both forms. Writing quotes whatever either version
would take for something else, so that a file reads the same here and in the container.
"""

import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from automl.errors import FixInput

__all__ = ["dump_yaml", "line_of", "load_yaml", "read_text"]

#: What a settings file never needs, and what a hostile one grows to from a few hundred bytes.
_MAX_BYTES = 256 << 10
_MAX_NODES = 200_000
_MAX_DEPTH = 100
#: A whole number of more digits, leading zeros included, is not even read.
_MAX_DIGITS = 100

_UNICODE_BREAKS = re.compile("[\x85\u2028\u2029]")
#: The end of a text for the operating system, and halves of a sign, which UTF-8 cannot write.
_IN_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_NULL = "tag:yaml.org,2002:null"
_RESOLVERS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (_NULL, re.compile(r"^(?:~|null|Null|NULL|)$"), "~nN\0"),
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    (
        "tag:yaml.org,2002:int",
        re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"),
        "-+0123456789",
    ),
    (
        "tag:yaml.org,2002:float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        "-+.0123456789",
    ),
    ("tag:yaml.org,2002:merge", re.compile(r"^(?:<<)$"), "<"),
)


class _Loader(yaml.SafeLoader):
    """A safe loader with the scalars of this module, without tags and without repeated keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Composes the next node.

        Raises:
            yaml.MarkedYAMLError: The node carries a tag.
        """
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(
                problem=f"a tag ({event.tag}) has no meaning here", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def get_single_node(self) -> yaml.Node | None:
        """Composes the document.

        Raises:
            yaml.MarkedYAMLError: It would grow beyond all settings once its aliases are replaced.
        """
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            _expanded_size(node, {}, ())
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Builds a mapping.

        Raises:
            yaml.MarkedYAMLError: A key stands twice in it.
        """
        seen: set[str] = set()
        for key, _ in node.value:
            text = getattr(key, "value", None)
            if isinstance(text, str) and key.tag != "tag:yaml.org,2002:merge":
                if text in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {text!r} stands twice", problem_mark=key.start_mark
                    )
                seen.add(text)
        return super().construct_mapping(node, deep=deep)

    def number(self, node: yaml.ScalarNode) -> int:
        """The whole number of a scalar: decimal (leading zeros allowed), ``0o17`` or ``0x1f``.

        Raises:
            yaml.MarkedYAMLError: It does not fit in 64 bits.
        """
        text = str(node.value)
        if len(text) <= _MAX_DIGITS:
            number = int(text, 0) if text[:2] in ("0o", "0x") else int(text)
            if -(1 << 63) <= number < 1 << 63:
                return number
        raise yaml.MarkedYAMLError(
            problem="a whole number that does not fit in 64 bits", problem_mark=node.start_mark
        )

    def text(self, node: yaml.ScalarNode) -> str:
        """The text of a scalar.

        Raises:
            yaml.MarkedYAMLError: It holds a sign that no path, no argument and no file can hold.
        """
        found = _IN_NO_TEXT.search(node.value)
        if found:
            raise yaml.MarkedYAMLError(
                problem=f"a sign that no text can hold (U+{ord(found[0]):04X})",
                problem_mark=node.start_mark,
            )
        return str(node.value)


def _expanded_size(node: yaml.Node, sizes: dict[int, int], above: tuple[int, ...]) -> int:
    """The nodes below and including ``node`` once every alias is replaced by what it stands for.

    Args:
        node: Where to count.
        sizes: Sizes known so far, by the identity of the node.
        above: Identities of the nodes that lead here.

    Raises:
        yaml.MarkedYAMLError: There are too many, they are nested too deeply, or one holds itself.
    """
    if id(node) in above:
        raise _excess("an alias that stands for what holds it", node)
    if len(above) >= _MAX_DEPTH:
        raise _excess(f"more than {_MAX_DEPTH} levels", node)
    if id(node) not in sizes:
        path = (*above, id(node))
        size = 1 + sum(_expanded_size(child, sizes, path) for child in _children(node))
        if size > _MAX_NODES:
            raise _excess(f"more than {_MAX_NODES} values, aliases replaced", node)
        sizes[id(node)] = size
    return sizes[id(node)]


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _excess(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


class _Dumper(yaml.SafeDumper):
    """A safe dumper that writes every value out and indents nothing more than it must."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: list(known) for first, known in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's own signature
        """Equal values are written twice rather than as anchor and alias."""
        return True


for _tag, _pattern, _first in _RESOLVERS:
    _starts = ["" if start == "\0" else start for start in _first]
    _Loader.add_implicit_resolver(_tag, _pattern, _starts)
    _Dumper.add_implicit_resolver(_tag, _pattern, _starts)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.number)
_Loader.add_constructor("tag:yaml.org,2002:str", _Loader.text)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Text as YAML; line breaks of Unicode are escaped, since plain ones are read as a space."""
    style = '"' if _UNICODE_BREAKS.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_multi_representer(str, _represent_text)


def load_yaml(source: str | Path, *, where: str = "") -> Any:
    """The value of one YAML document; None for an empty one.

    Args:
        source: Text, or the path of a file.
        where: What to call the text in an error; a file is called by its path.

    Raises:
        FixInput: The file cannot be read or is no settings file by its size; the text is not YAML,
            has a tag or a repeated key, or grows without bound as its aliases are replaced.
    """
    name = where or (str(source) if isinstance(source, Path) else "")
    text = read_text(source) if isinstance(source, Path) else source
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise FixInput(
            "YAML must be well formed",
            got=error.problem or "a broken document",
            where=", ".join(part for part in (name, place) if part),
        ) from error
    except RecursionError as error:
        got = f"more than {_MAX_DEPTH} levels"
        raise FixInput("YAML must be well formed", got=got, where=name) from error
    except (yaml.YAMLError, ValueError) as error:
        got = " ".join(str(error).split())
        raise FixInput("YAML must be well formed", got=got, where=name) from error


def line_of(text: str, keys: Sequence[str]) -> int:
    """The line, from 1, in which a key of a YAML mapping stands; 0 where there is none.

    Args:
        text: A document that ``load_yaml`` reads.
        keys: The key, below the keys of the mappings that it lies in.
    """
    node, line = yaml.compose(text, Loader=_Loader), 0
    for key in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        found = [pair for pair in pairs if getattr(pair[0], "value", None) == key]
        if not found:
            return 0
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        FixInput: It cannot be read, or is not UTF-8.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FixInput("the file must be a regular file", where=str(path))
        if status.st_size > _MAX_BYTES:
            raise FixInput(
                f"a file of settings must be smaller than {_MAX_BYTES >> 10} KiB",
                got=f"{status.st_size} bytes",
                where=str(path),
            )
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise FixInput("the file must exist", where=str(path)) from error
    except OSError as error:
        raise FixInput(
            "the file must be readable", got=error.strerror or "", where=str(path)
        ) from error
    except UnicodeDecodeError as error:
        raise FixInput("the file must be UTF-8 text", where=str(path)) from error


def dump_yaml(tree: Any) -> str:
    """The value as a YAML document in block style, keys in their order.

    Every float is written so that it reads back equal under YAML 1.1 and 1.2 (``6.0e-05``).

    Raises:
        TypeError: The value holds something that is not plain data.
    """
    try:
        return str(
            yaml.dump(
                tree,
                Dumper=_Dumper,
                default_flow_style=False,
                sort_keys=False,
                allow_unicode=True,
                width=96,
            )
        )
    except yaml.representer.RepresenterError as error:
        raise TypeError(f"only plain values can be written as YAML: {error}") from error
