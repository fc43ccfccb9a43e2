"""Writes a library's songs into one file for others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from songprint.errors import LibraryError, SongprintError
from songprint.files import replacing
from songprint.library.portable import TEXTS, portable_schema, to_portable
from songprint.library.refusals import reason, refusing
from songprint.library.schema import SONGS
from songprint.library.store import Library

GROUP_SONGS = 4096
"""Songs of a row group, some 6 MB."""


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes
    ----------
    path : Path
        The file.
    songs : int
        How many.
    n_bytes : int
        Its size.
    model : str
        The model version that heard them.
    imported : int
        Songs that came from others, which are left out.
    waiting : int
        Songs that only another model has heard, which are left out.
    """

    path: Path
    songs: int
    n_bytes: int
    model: str
    imported: int
    waiting: int


def export_songs(
    library: Library,
    out: Path | str,
    *,
    absolute_paths: bool = False,
    plays: bool = False,
    on_songs: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write the library's own songs into one Parquet file, in place of what was there.

    Parameters
    ----------
    library : Library
        The library.
    out : Path or str
        The file.
    absolute_paths : bool
        Tell where files lie; else only where they lie in the folders that were added.
    plays : bool
        Tell how often songs were played.
    on_songs : callable, optional
        Is told how many songs were written, and how many there are.

    Returns
    -------
    Exported
        What was written.

    Raises
    ------
    LibraryError
        If there are no songs, or the library cannot be read.
    SongprintError
        If the file cannot be written.

    Examples
    --------
    >>> from songprint import Library, export_songs
    >>> export_songs(Library.open(), "songs.parquet").songs  # doctest: +SKIP
    1029
    """
    out = Path(out)
    own, everything = library.models(own=True), library.models()
    model = library.model
    if model is None or not own:
        raise LibraryError(f"{library.path}: the library has no songs of its own to export")
    schema = portable_schema(library.vocabulary(model), model)
    folders = None if absolute_paths else library.folders()
    songs = 0
    with library.songs_of(model, "not imported") as query:
        batches = query.select(SONGS.names).to_batches(GROUP_SONGS)
        try:
            with replacing(out) as part, _writer(part, schema) as writer:
                for batch in _read(library, batches):
                    writer.write_batch(to_portable(batch, schema, folders, plays=plays))
                    songs += len(batch)
                    if on_songs is not None:
                        on_songs(songs, own[model])
        except OSError as error:
            raise SongprintError(f"{out}: cannot be written: {reason(error)}") from error
    return Exported(
        path=out,
        songs=songs,
        n_bytes=out.stat().st_size,
        model=model,
        imported=sum(everything.values()) - sum(own.values()),
        waiting=sum(own.values()) - own[model],
    )


def _read(library: Library, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with refusing(library.path, "be read"):  # or it would look like a fault of the new file
        yield from batches


def _writer(part: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        part,
        schema,
        compression="zstd",
        use_dictionary=[*TEXTS, "path", "model"],  # numbers hardly ever come twice
        write_page_checksum=True,
        write_statistics=False,
    )
