"""What Terraform's files say, where `terraform fmt` has formatted them: each thing on lines of its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

_BLOCK: Final = re.compile(r'([\w-]+)((?: (?:"[^"]*"|[\w-]+))*) \{(\}?)')
_ATTRIBUTE: Final = re.compile(r"([\w-]+|\"[^\"]*\") += (.*)")
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT: Final = re.compile(r"(#|//).*")
_HEREDOC: Final = re.compile(r"<<-?(\w+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block. labels: the names after its kind; attributes: their expressions as they are written."""

    kind: str
    labels: tuple[str, ...]
    attributes: dict[str, str]
    blocks: tuple["Block", ...]

    def of(self, kind: str) -> list["Block"]:
        """Return the blocks within that are of a kind."""
        return [block for block in self.blocks if block.kind == kind]


def read_blocks(text: str) -> Block:
    """Return a file's content as one block without a kind.

    Raises:
        ValueError: a line is none that the formatter leaves, or the file ends too early; the message says where.

    """
    lines = iter(zip(count(1), text.splitlines(), strict=False))
    return _read("", (), lines)


def text_of(expression: str) -> str:
    """Return the text of an expression that is one text without parts to fill in.

    Raises:
        ValueError: it is another one.

    """
    if not _TEXT.fullmatch(expression) or "${" in expression:
        raise ValueError(f"{expression} is no plain text")
    return re.sub(r"\\(.)", lambda escaped: {"n": "\n", "t": "\t"}.get(escaped[1], escaped[1]), expression[1:-1])


def _read(kind: str, labels: tuple[str, ...], lines: Iterator[tuple[int, str]]) -> Block:
    """Read lines until the block's end, or the file's."""
    attributes: dict[str, str] = {}
    blocks: list[Block] = []
    for number, line in lines:
        stated = line.strip()
        if not stated or _COMMENT.fullmatch(stated):
            continue
        if stated == "}" and kind:
            break
        block, attribute = _BLOCK.fullmatch(stated), _ATTRIBUTE.fullmatch(stated)
        if block is not None:
            names = tuple(name.strip('"') for name in block[2].split())
            blocks.append(_read(block[1], names, iter(()) if block[3] else lines))
        elif attribute is not None:
            indent = len(line) - len(line.lstrip())
            attributes[attribute[1].strip('"')] = _expression(attribute[2], indent, lines)
        else:
            raise ValueError(f"line {number} is none that `terraform fmt` leaves: {stated}")
    return Block(kind=kind, labels=labels, attributes=attributes, blocks=tuple(blocks))


def _expression(start: str, indent: int, lines: Iterator[tuple[int, str]]) -> str:
    """Return an expression with its further lines, which go on until every bracket is closed."""
    read, depth, end = [start], _depth(start), _heredoc(start)
    while end or depth > 0:
        _, line = next(lines, (0, None))
        if line is None:
            raise ValueError(f"an expression does not end: {start}")
        read.append(line[indent:] if line[:indent].isspace() else line)
        if end:
            end = "" if line.strip() == end else end
        else:
            depth, end = depth + _depth(line), _heredoc(line)
    return "\n".join(read)


def _depth(line: str) -> int:
    """Return how many brackets a line opens and leaves open, or closes: those of texts and comments are none."""
    bare = _COMMENT.sub("", _TEXT.sub("", line))
    return sum(bare.count(mark) for mark in "([{") - sum(bare.count(mark) for mark in ")]}")


def _heredoc(line: str) -> str:
    """Return the word that ends a text which begins with the next line, or an empty one."""
    begun = _HEREDOC.search(line)
    return begun[1] if begun is not None else ""
