from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.library.guards import latest_manifest
from songprint.library.manifests import Manifest
from support.shelves import made_up_library, made_up_song, shelve


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of songs, some of which were deleted, with an index of words that was made anew."""
    place = tmp_path_factory.mktemp("library")
    library = made_up_library(place, 5)
    with library.writing() as writer:
        writer.tidy()
    for number in (6, 7, 8):
        shelve(library, {f"/music/{number}.mp3": made_up_song(number)})
    with library.writing() as writer:
        writer.tidy()
        writer.drop_songs([made_up_song(0).content_hash])
    latest = latest_manifest(place, "songs")
    assert latest is not None
    return latest


def test_a_commit_names_its_data_deletions_and_indices(manifest: Path) -> None:
    found = Manifest.read(manifest)
    table = manifest.parents[1]
    assert found.data()
    assert all(file.exists() for file in found.data())
    named = {
        kind: [f for f in (table / kind).rglob("*") if f.is_file() and found.names(f)]
        for kind in ("data", "_deletions", "_indices")
    }
    assert set(named["data"]) == set(found.data())
    assert all(named.values())


def test_a_commit_does_not_name_what_it_replaced(manifest: Path) -> None:
    found = Manifest.read(manifest)
    old = set((manifest.parents[1] / "data").iterdir()) - set(found.data())
    assert old
    assert not any(found.names(file) for file in old)
    indices = {file.parent for file in (manifest.parents[1] / "_indices").glob("*/*")}
    assert len(indices) > sum(found.names(index / "file") for index in indices)


@given(st.data())
def test_a_manifest_that_is_damaged_is_read_or_refused(
    manifest: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    spoiled = bytearray(manifest.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        spoiled[data.draw(st.integers(0, len(spoiled) - 1))] = data.draw(st.integers(0, 255))
    copy = tmp_path_factory.mktemp("spoiled") / "songs.lance" / "_versions" / "1.manifest"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(spoiled[: data.draw(st.integers(0, len(spoiled)))])
    with suppress(ValueError):
        assert all(file.parent.name == "data" for file in Manifest.read(copy).data())
