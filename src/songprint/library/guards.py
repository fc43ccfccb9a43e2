"""Tells when a byte of the library has changed on the disk, and puts it right.

LanceDB's files have no checksums: a bit that flips in an embedding is read as if it had always
been there, and one in a manifest may hide all songs. None of its files ever changes once it is
written. So a *guard* is kept of each, in the library's folder ``guards``: the digests of its
blocks, by which damage is found, and the exclusive or of every 32nd or so of them, by which it is
undone. A block that is damaged is what the others of its group leave of their parity, if they are
whole; as neighbours are in different groups, a thirty-third of a file may be lost in one piece.
Small files (manifests, indices, what was written last) have each block in a group of its own: they
are kept twice.

A guard is made when its file has just been written and flushed, and goes with it. It proves itself
by a digest of its own; one that is damaged guards nothing and is made anew.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from songprint.errors import LibraryError
from songprint.library.manifests import Manifest

FOLDER = "guards"

BLOCK_BYTES = 4096
BLOCKS_A_GROUP = 32
KEPT_TWICE_BYTES = 16 << 10

UNGUARDED = ("_transactions",)
"""Folders in a table that nothing is read from."""

_MAGIC = b"SPguard1"
_HEAD = struct.Struct("<8sQI")
_DIGEST_BYTES = 8
_SEAL_BYTES = 16

Blocks = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Guard:
    """What is known of a file.

    Attributes
    ----------
    size : int
        Its bytes.
    digests : ndarray [shape=(blocks, 8)]
        Of its blocks, the last of which is filled up with zeros.
    parity : ndarray [shape=(groups, 4096)]
        The exclusive or of the blocks of each group: of every ``groups``-th.
    """

    size: int
    digests: Blocks
    parity: Blocks

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the guard of a file as it is now."""
        size = path.stat().st_size
        blocks = -(-size // BLOCK_BYTES)
        groups = blocks if size <= KEPT_TWICE_BYTES else -(-blocks // BLOCKS_A_GROUP)
        parity = np.zeros((groups, BLOCK_BYTES), np.uint8)
        digests = []
        with path.open("rb") as file:
            for rows in _rounds(file, size, groups):
                parity[: len(rows)] ^= rows
                digests.append(_digests(rows))
        return cls(size, np.concatenate([np.empty((0, 8), np.uint8), *digests]), parity)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return a guard that was saved.

        Raises
        ------
        OSError, ValueError
            If there is none, or it is damaged.
        """
        data = path.read_bytes()
        body, seal = data[:-_SEAL_BYTES], data[-_SEAL_BYTES:]
        if len(data) < _HEAD.size or blake2b(body, digest_size=_SEAL_BYTES).digest() != seal:
            raise ValueError(f"{path}: is damaged")
        _, size, groups = _HEAD.unpack_from(body)
        blocks = -(-size // BLOCK_BYTES)
        numbers = np.frombuffer(body, np.uint8, offset=_HEAD.size)
        digests, parity = np.split(numbers, [blocks * _DIGEST_BYTES])
        return cls(
            size, digests.reshape(blocks, _DIGEST_BYTES), parity.reshape(groups, BLOCK_BYTES)
        )

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        head = _HEAD.pack(_MAGIC, self.size, len(self.parity))
        body = head + self.digests.tobytes() + self.parity.tobytes()
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(body + blake2b(body, digest_size=_SEAL_BYTES).digest())
        part.replace(path)

    def damaged(self, path: Path) -> NDArray[np.bool_]:
        """Return which blocks of a file [shape=(blocks,)] are not as they were.

        A file that is gone is nothing but damage. Bytes behind the end are none, and do no harm
        where they are not read; see :meth:`is_whole`.
        """
        if not path.is_file():
            return np.ones(len(self.digests), bool)
        with path.open("rb") as file:
            found = [_digests(rows) for rows in _rounds(file, self.size, len(self.parity))]
        if not found:
            return np.zeros(0, bool)
        differs: NDArray[np.bool_] = (np.concatenate(found) != self.digests).any(axis=1)
        return differs

    def is_whole(self, path: Path) -> bool:
        """Tell whether a file is as it was."""
        with suppress(FileNotFoundError):
            return path.stat().st_size == self.size and not self.damaged(path).any()
        return False

    def restore(self, path: Path, to: Path, fill: bytes = b"") -> NDArray[np.bool_]:
        """Write a file as it was, as far as its guard allows.

        Parameters
        ----------
        path : Path
            The damaged file, which stays as it is.
        to : Path
            A new file.
        fill : bytes
            What to put, over and over, where the guard does not tell what there was; zeros if left
            out.

        Returns
        -------
        ndarray [shape=(blocks,)]
            The blocks that could not be restored.
        """
        damaged = self.damaged(path)
        groups = len(self.parity)
        lost = np.zeros(len(damaged), bool)
        group = np.arange(len(damaged)) % max(groups, 1)
        hopeless = np.bincount(group[damaged], minlength=groups) > 1
        lost[damaged] = hopeless[group[damaged]]
        missing = self.parity.copy()  # of each group, its one damaged block
        filling = np.resize(np.frombuffer(fill or b"\0", np.uint8), BLOCK_BYTES)
        with (path if path.is_file() else Path(os.devnull)).open("rb") as file:
            for n, rows in enumerate(_rounds(file, self.size, groups)):
                well = ~damaged[n * groups : n * groups + len(rows)]
                missing[: len(rows)][well] ^= rows[well]
            file.seek(0)
            with to.open("wb") as whole:
                for n, rows in enumerate(_rounds(file, self.size, groups)):
                    here = slice(n * groups, n * groups + len(rows))
                    right = np.where(damaged[here, None], missing[: len(rows)], rows)
                    whole.write(np.where(lost[here, None], filling, right).tobytes())
                whole.truncate(self.size)
        return lost


def _rounds(file: BinaryIO, size: int, groups: int) -> Iterator[Blocks]:
    """Yield blocks of a file [shape=(up to groups, 4096)], as if it were of a size."""
    left = -(-size // BLOCK_BYTES)
    while left > 0:
        blocks = min(left, groups)
        data = file.read(min(blocks * BLOCK_BYTES, size))
        size -= blocks * BLOCK_BYTES
        rows = np.zeros(blocks * BLOCK_BYTES, np.uint8)
        rows[: len(data)] = np.frombuffer(data, np.uint8)
        yield rows.reshape(blocks, BLOCK_BYTES)
        left -= blocks


def _digests(blocks: Blocks) -> Blocks:
    digests = [blake2b(block, digest_size=_DIGEST_BYTES).digest() for block in blocks]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(len(blocks), _DIGEST_BYTES)


# Of a library


def guard_of(library: Path, file: Path) -> Path:
    """Return where the guard of a file of a library lies."""
    return library / FOLDER / file.relative_to(library)


def guarded_files(table: Path) -> set[Path]:
    """Return the files of a table that are to be guarded."""
    found: set[Path] = set()
    for folder, folders, names in os.walk(table):
        folders[:] = [name for name in folders if name not in UNGUARDED]
        # The only JSON is a hint that LanceDB changes and can do without.
        found |= {Path(folder, name) for name in names if not name.endswith((".json", ".part"))}
    return found


def keep_guards(library: Path, tables: Iterable[str]) -> None:
    """Guard what was written to some tables since this was last called, and forget what is gone.

    Parameters
    ----------
    library : Path
        The library, of which this process holds the lock that the tables are written under.
    tables : iterable of str
        Their names.
    """
    for name in tables:
        table = library / f"{name}.lance"
        files = guarded_files(table)
        guards = {guard_of(library, file): file for file in files}
        there = _kept(library / FOLDER / f"{name}.lance")
        new = {guards[guard] for guard in guards.keys() - there}
        committed = _committed(table, new)
        for file in new:
            # Data that no commit names may be half written, by an actor of a cluster.
            if file in committed or file.parent != table / "data":
                guard = guard_of(library, file)
                with suppress(FileNotFoundError):  # it was replaced, and tidied away
                    Guard.of(file).save(guard)
        for guard in there - guards.keys():
            guard.unlink(missing_ok=True)


def _kept(folder: Path) -> set[Path]:
    """Return the guards in a folder, without what a run left of one when it was killed."""
    found: set[Path] = set()
    for place, _, names in os.walk(folder):
        for guard in (Path(place, name) for name in names):
            if guard.suffix == ".part":
                guard.unlink(missing_ok=True)
            else:
                found.add(guard)
    return found


def _committed(table: Path, new: set[Path]) -> set[Path]:
    """Return the files of data that new commits, and the latest, name."""
    versions = table / "_versions"
    latest = min(versions.glob("*.manifest"), default=None)  # numbered downwards
    commits = {file for file in new if file.parent == versions} | ({latest} if latest else set())
    return {file for commit in commits for file in named_in(commit)}


@dataclass(frozen=True)
class Damage:
    """A file of a library that is not as it was written.

    Attributes
    ----------
    file : Path
        The file.
    what : str
        What has become of it.
    """

    file: Path
    what: str


def damaged(library: Path, damage: Damage) -> LibraryError:
    """Return the error that tells of damage."""
    place = damage.file.relative_to(library)
    return LibraryError(
        f"{library}: the library is damaged: {place} {damage.what}; songprint doctor --repair saves"
        " all that can be read"
    )


def glance(library: Path, tables: Iterable[str]) -> Damage | None:
    """Look whether the latest commit of some tables is there, its manifest and files of data.

    Takes a millisecond or two; :func:`examine` looks at every byte.
    """
    for name in tables:
        for _ in range(2):  # of a table that is being written, what was seen first may be old
            damage = _glance(library, library / f"{name}.lance")
            if damage is None:
                break
        else:
            return damage
    return None


def _glance(library: Path, table: Path) -> Damage | None:
    versions = table / "_versions"
    guards = guard_of(library, versions)
    guarded = min(guards.glob("*.manifest"), default=None)
    manifest = min(versions.glob("*.manifest"), default=None)  # numbered downwards
    if guarded is None:
        return None
    if manifest is None or guarded.name < manifest.name:
        return Damage(versions / guarded.name, "is gone")
    if guarded.name == manifest.name:
        with suppress(OSError, ValueError):
            if not Guard.load(guarded).is_whole(manifest):
                return Damage(manifest, "has changed")
    for file in named_in(manifest):
        size = _guarded_size(guard_of(library, file))
        try:
            found = file.stat().st_size
        except OSError:
            return Damage(file, "is gone")
        if size is not None and size != found:
            return Damage(file, f"has {found:,} of {size:,} bytes")
    return None


def named_in(manifest: Path) -> list[Path]:
    """Return the files of data that a manifest names; none if it cannot be read."""
    with suppress(OSError, ValueError):
        return Manifest.read(manifest).data()
    return []


def latest_manifest(library: Path, name: str) -> Path | None:
    """Return where the manifest of a table's latest commit lies, or lay."""
    versions = library / f"{name}.lance" / "_versions"
    there = [*versions.glob("*.manifest"), *guard_of(library, versions).glob("*.manifest")]
    latest = min((manifest.name for manifest in there), default=None)
    return None if latest is None else versions / latest


def needs(manifest: Path | None, file: Path) -> bool:
    """Tell whether a commit cannot be read without a file; if it cannot be told, it is."""
    if manifest is None or file == manifest:
        return True
    if file.parent == manifest.parent:
        return False  # another commit
    with suppress(OSError, ValueError):
        return Manifest.read(manifest).names(file)
    return True


def _guarded_size(guard: Path) -> int | None:
    with suppress(OSError, struct.error), guard.open("rb") as file:
        magic, size, _ = _HEAD.unpack(file.read(_HEAD.size))
        return int(size) if magic == _MAGIC else None
    return None


@dataclass(frozen=True)
class Examined:
    """How the files of a library are.

    Attributes
    ----------
    files, n_bytes : int
        Those that are as they were written, and their size.
    damages : list of Damage
        Those that are not.
    unguarded : list of Path
        Those of which nobody knows: an older songprint wrote them, or a run that was killed.
    """

    files: int
    n_bytes: int
    damages: list[Damage]
    unguarded: list[Path]


def examine(library: Path, tables: Iterable[str]) -> Examined:
    """Read all files of some tables of a library and compare them with their guards."""
    files = n_bytes = 0
    damages, unguarded = [], []
    for name in tables:
        table = library / f"{name}.lance"
        there = guarded_files(table)
        guards = guarded_files(library / FOLDER / f"{name}.lance")
        known = {library / guard.relative_to(library / FOLDER) for guard in guards}
        for file in sorted(there | known):
            guard_path = guard_of(library, file)
            try:
                guard = Guard.load(guard_path)
            except (OSError, ValueError):
                if file.exists():
                    unguarded.append(file)
                continue
            if guard.is_whole(file):
                files += 1
                n_bytes += guard.size
            # What the latest commit does not need was tidied away, perhaps while this was reading.
            elif file.exists() or needs(latest_manifest(library, name), file):
                damages.append(Damage(file, _what(guard, file)))
    return Examined(files, n_bytes, damages, unguarded)


def _what(guard: Guard, file: Path) -> str:
    try:
        found = file.stat().st_size
    except OSError:
        return "is gone"
    if found != guard.size:
        return f"has {found:,} of {guard.size:,} bytes"
    return f"has changed in {int(guard.damaged(file).sum()) * BLOCK_BYTES:,} bytes or less"
