"""What a commit of a LanceDB table consists of: the files that its manifest names.

A manifest also tells what its commit replaced, which soon is gone; so names are not looked for in
all of it, but where it lists its fragments and indices [1]_. It ends with the place of its message
of Protocol Buffers; that of the indices stands in the message. Names lie in both as they are: those
of data as text, of indices as the bytes of their UUID, of deletions as two numbers of them.

References
----------
.. [1] Lance's table format, https://lance.org/format/table/, and its ``table.proto``.
"""

from __future__ import annotations

import re
import struct
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_END = struct.Struct("<QHH4s")
_LENGTH = struct.Struct("<I")
_MAGIC = b"LANC"
_FRAGMENTS, _INDEX_SECTION = 2, 6
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}


@dataclass(frozen=True)
class Manifest:
    """What a commit consists of.

    Attributes
    ----------
    table : Path
        The table's folder.
    fragments, indices : bytes
        The parts of the manifest that list these.
    """

    table: Path
    fragments: bytes
    indices: bytes

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a manifest.

        Raises
        ------
        OSError, ValueError
            If it cannot be read, or understood.
        """
        file = path.read_bytes()
        try:
            place, _, _, magic = _END.unpack(file[-_END.size :])
            if magic != _MAGIC:
                raise ValueError(f"{path}: is no manifest")
            fields = list(_fields(_message(file, place)))
            sections = [value for name, value in fields if name == _INDEX_SECTION]
            indices = [_message(file, value) for value in sections if isinstance(value, int)]
        except (struct.error, IndexError) as error:
            raise ValueError(f"{path}: is no manifest") from error
        lists = [value for name, value in fields if name == _FRAGMENTS]
        fragments = [value for value in lists if isinstance(value, bytes)]
        return cls(path.parents[1], b"".join(fragments), b"".join(indices))

    def data(self) -> list[Path]:
        """Return the files of data."""
        names = re.findall(rb"[0-9a-f]{50}\.lance", self.fragments)
        return [self.table / "data" / name.decode() for name in dict.fromkeys(names)]

    def names(self, file: Path) -> bool:
        """Tell whether the commit has a file of data, deletions or an index; True if in doubt."""
        kind = file.relative_to(self.table).parts[0]
        if kind == "data":
            return file.name.encode() in self.fragments
        with suppress(ValueError):
            if kind == "_indices":
                return uuid.UUID(file.parent.name).bytes in self.indices
            if kind == "_deletions":
                _, version, number = map(int, file.stem.split("-"))
                named = b"\x10" + _written(version) + b"\x18" + _written(number)
                return named in self.fragments
        return True


def _message(file: bytes, place: int) -> bytes:
    (length,) = _LENGTH.unpack_from(file, place)
    start = place + _LENGTH.size
    if start + length > len(file):
        raise ValueError("ends early")
    return file[start : start + length]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of each field of a message of Protocol Buffers."""
    place = 0
    while place < len(message):
        key, place = _number(message, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _number(message, place)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, place = _number(message, place)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise ValueError("is no message")
        yield key >> 3, message[place : place + length]
        place += length


def _number(message: bytes, place: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    number = shift = 0
    while True:
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, place


def _written(number: int) -> bytes:
    digits = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([*(digit | 0x80 for digit in digits[:-1]), digits[-1]])
