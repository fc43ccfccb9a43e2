"""Makes a stranger's songs findable: reads their file in a process of its own, and takes them in.

The file is from anywhere. Its reader may take as much memory as it likes, or crash: it is another
process, with a limit, that hands over only songs that were looked at. They are added in one commit
when all of them were.
"""

from __future__ import annotations

import multiprocessing
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from songprint.errors import PortableError
from songprint.library.interrupts import leave_interrupts_to_parent, start_uninterrupted
from songprint.library.schema import SONGS, quoted, vocabulary_of_taxonomy
from songprint.library.tags import one_line
from songprint.library.worker import end_with_parent, limit_memory

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from songprint.library.store import Library
    from songprint.library.strict import Head

LONGEST_SECONDS = 120.0
"""What the reader may take for some hundred songs."""

MOST_ORIGIN_CHARACTERS = 200
MOST_BUG_CHARACTERS = 300


@dataclass(frozen=True)
class Imported:
    """What was imported.

    Attributes
    ----------
    origin : str
        The file's name, by which its songs are known.
    model : str
        The model version that heard them.
    songs : int
        How many are in the file.
    added : int
        Those that the library did not have.
    own : int
        Those of which the library has the audio; they stay as they are.
    known : int
        Those that were imported before.
    found : bool
        Whether the library answers with this model, so that they are found.
    """

    origin: str
    model: str
    songs: int
    added: int
    own: int
    known: int
    found: bool


def import_songs(
    library: Library,
    file: Path | str,
    *,
    on_songs: Callable[[int, int], None] | None = None,
) -> Imported:
    """Take the songs of a file that ``songprint export`` wrote into a library, without audio.

    Parameters
    ----------
    library : Library
        The library.
    file : Path or str
        The file; nothing in it is trusted.
    on_songs : callable, optional
        Is told how many songs were read, and how many there are.

    Returns
    -------
    Imported
        What was done.

    Raises
    ------
    PortableError
        If anything in the file is not as songprint writes it, or another model heard the songs;
        then the library is as it was.
    LibraryError
        If another process is writing, or the library cannot be written.

    Examples
    --------
    >>> from songprint import Library, import_songs
    >>> import_songs(Library.open(), "anna.parquet").added  # doctest: +SKIP
    1029
    """
    file = Path(file)
    with library.writing() as writer, _Reader(file, origin_of(file)) as reader:
        head = reader.head
        is_new_model = _require_model(library, file, head)
        rows = library.read("songs", "content_hash", "model", "imported").to_pylist()
        own = {row["content_hash"] for row in rows if not row["imported"]}
        known = {row["content_hash"] for row in rows if row["model"] == head.model} - own
        counts = {"own": 0, "known": 0, "added": 0}

        def strangers() -> Iterator[pa.RecordBatch]:
            for batch in reader.batches():
                hashes = batch["content_hash"].to_pylist()
                kinds = [_kind(content_hash, own, known) for content_hash in hashes]
                for kind in kinds:
                    counts[kind] += 1
                if on_songs is not None:
                    on_songs(sum(counts.values()), head.songs)
                if "added" in kinds:
                    yield batch.filter(pa.array([kind == "added" for kind in kinds]))

        songs = strangers()
        first = next(songs, None)
        if first is not None:
            if is_new_model:
                writer.put_model(head.model, head.vocabulary)
            try:
                writer.add_songs(chain([first], songs))
            except BaseException:
                if is_new_model:
                    writer.drop_model(head.model)
                if reader.refusal is not None:
                    raise reader.refusal from None
                raise
            writer.tidy()  # so that the words of many songs are found fast
    return Imported(
        origin=origin_of(file),
        model=head.model,
        songs=sum(counts.values()),
        **counts,
        found=library.model == head.model,
    )


def forget_imported(library: Library, origin: str) -> int:
    """Forget the songs that were imported from a file, by its name; return how many.

    Raises
    ------
    LibraryError
        If another process is writing, or the library cannot be written.
    """
    where = f"imported and origin = {quoted(origin)}"
    with library.writing() as writer:
        hashes = library.read("songs", "content_hash", where=where)["content_hash"].to_pylist()
        writer.drop_imported(origin)
    return len(set(hashes))


def _kind(content_hash: str, own: set[str], known: set[str]) -> str:
    return "own" if content_hash in own else "known" if content_hash in known else "added"


def origin_of(file: Path) -> str:
    """Return the name by which the songs of a file are known: the file's own."""
    return one_line(file.name[:MOST_ORIGIN_CHARACTERS]) or "unnamed"


def _require_model(library: Library, file: Path, head: Head) -> bool:
    """Refuse songs that could never be found; tell whether their model is new to the library."""
    from songprint.fingerprints import default_fingerprinter

    current = default_fingerprinter().model_version
    ours = library.model
    if head.model not in (ours, current):
        raise PortableError(
            file,
            f"its songs were heard by model {head.model}, yours by {ours or current}: fingerprints"
            " of two models cannot be compared, and without audio these cannot be heard again; ask"
            " for an export by your songprint, or update the older one of both",
        )
    is_new = head.model not in library.read("models", "model")["model"].to_pylist()
    expected = vocabulary_of_taxonomy() if is_new else library.vocabulary(head.model)
    if head.vocabulary != expected:
        raise PortableError(file, f"its genres or tags are not those of model {head.model}")
    return is_new


class _Reader:
    """A process that reads a file; :attr:`refusal` says why it stopped, if it did."""

    def __init__(self, file: Path, origin: str) -> None:
        _require_file(file)
        context = multiprocessing.get_context("spawn")
        self._file = file
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_read, args=(theirs, str(file), origin), daemon=True)
        start_uninterrupted(self._process)
        theirs.close()  # or the end of the process would not be seen
        self.refusal: PortableError | None = None

    def __enter__(self) -> Self:
        try:
            self.head: Head = self._next()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield rows of `songs`."""
        while (batch := self._next()) is not None:
            yield pa.ipc.read_record_batch(pa.py_buffer(batch), SONGS)

    def _next(self) -> Any:
        try:
            if not self._connection.poll(LONGEST_SECONDS):
                raise self._refused(f"gave up: no song came for {LONGEST_SECONDS:g} s")
            told = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._refused("is damaged: it ended the process that read it") from error
        if isinstance(told, PortableError):
            raise self._refused(told.reason)
        return told

    def _refused(self, reason: str) -> PortableError:
        self.refusal = PortableError(self._file, reason)
        return self.refusal

    def _end(self) -> None:
        self._connection.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()


def _require_file(file: Path) -> None:
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is impossible"
        raise PortableError(file, f"cannot be read: {reason}") from error
    if not stat.S_ISREG(mode):
        raise PortableError(file, "is no ordinary file")


def _read(connection: Connection, path: str, origin: str) -> None:
    """Read a file and send its head, its songs, and None; or why not."""
    leave_interrupts_to_parent()
    threading.Thread(target=end_with_parent, daemon=True).start()
    limit_memory()
    pa.set_memory_pool(pa.system_memory_pool())  # which keeps no more than it needs
    with suppress(BrokenPipeError, ConnectionResetError):
        try:
            _send_all(connection, Path(path), origin)
        except PortableError as refusal:
            connection.send(refusal)
        except OSError as error:
            connection.send(PortableError(path, f"cannot be read: {error.strerror or error}"))
        except MemoryError:
            connection.send(PortableError(path, "is too large to be read"))
        except Exception as bug:  # it must not go unseen, nor be taken for a fault of the file
            text = " ".join(f"{type(bug).__name__}: {bug}".split())[:MOST_BUG_CHARACTERS]
            connection.send(PortableError(path, f"internal error: {text}; please report it"))


def _send_all(connection: Connection, path: Path, origin: str) -> None:
    from songprint.library.portable import from_portable
    from songprint.library.strict import StrictReader

    now = datetime.now(UTC)
    with path.open("rb") as file:
        reader = StrictReader(path, file)
        connection.send(reader.head)
        for batch in reader.batches():
            connection.send(from_portable(batch, origin, now).serialize().to_pybytes())
    connection.send(None)
