"""A Ray cluster as the place where songs are heard."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from songprint.cluster.actors import Claims, HearSongs, Told
from songprint.errors import SongprintError, UsageError
from songprint.library.batch import Batch
from songprint.library.holdings import Holdings
from songprint.library.schema import vocabulary_of_taxonomy, written_path
from songprint.library.store import Library
from songprint.library.worker import Identified, Job, Outcome
from songprint.library.writer import Writer

SONGS_A_BLOCK = 16
"""What an actor that dies may have heard in vain."""

MOST_TRIES = 3
"""Of a file whose actor dies; from the second on it is alone in its block."""

MOST_FILES, _ROWS = 4096, ("landmarks", "songs")


class FragmentBatch(Batch):
    """Also commits what the cluster's actors have written, before the files of it."""

    def __init__(self, library: Library, writer: Writer, holdings: Holdings, model: str) -> None:
        super().__init__(library, writer, holdings)
        self._model = model
        self._named = False
        self._fragments: dict[str, list[tuple[bytes, bytes]]] = {name: [] for name in _ROWS}

    def stage(self, fragments: dict[str, list[tuple[bytes, bytes]]]) -> None:
        """Take what was written; before the outcomes of the songs in it."""
        for name, some in fragments.items():
            self._fragments[name] += some

    def write(self) -> None:
        """Commit landmarks, songs, and then all else."""
        from lance_ray import LanceFragmentCommitter

        if any(self._fragments.values()) and not self._named:
            self._writer.put_model(self._model, vocabulary_of_taxonomy())
            self._named = True
        for name, fragments in self._fragments.items():
            if fragments:
                with self._writer.committing(), warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    uri = f"{self._library.place}/{name}.lance"
                    committer = LanceFragmentCommitter(uri=uri, mode="append")
                    committer.on_write_start()
                    committer.on_write_complete([fragments])  # type: ignore[list-item]
                fragments.clear()
        super().write()

    def _tidy(self) -> None:
        """Put pieces together; what actors have written and not yet told of stays."""
        self._writer.tidy_if_needed(alone=False)


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster.

    Attributes
    ----------
    address : str
        ``local`` for one that is started on this machine and ends with the run; else that of one
        of whose nodes this machine is: ``auto`` or ``host:port``.
    workers : int or None
        Actors, of a core each; as many as there are cores if None.
    time_limit_seconds : float or None
        What a file may take before it is given up.
    """

    address: str
    workers: int | None = None
    time_limit_seconds: float | None = None

    def batch(self, library: Library, writer: Writer, holdings: Holdings) -> Batch:
        """Return what collects and writes."""
        from songprint.fingerprints import default_fingerprinter

        return FragmentBatch(library, writer, holdings, default_fingerprinter().model_version)

    @contextmanager
    def pool(self, library: Library, holdings: Holdings, batch: Batch) -> Iterator[RayPool]:
        """Return the cluster's actors, for the length of a block."""
        ray, is_ours = _start(self.address, self.workers)
        try:
            workers = self.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
            yield RayPool(library.place, holdings, batch, workers, self.time_limit_seconds)
        finally:
            if is_ours:  # left to the end of the process, a node that died would be its end, too
                ray.shutdown()


def _start(address: str, workers: int | None) -> tuple[Any, bool]:
    """Return Ray, and whether it was started, or joined, here."""
    if address.startswith("ray://"):
        raise UsageError("run it on a node of the cluster, with --ray auto: ray job submit does so")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers of each run
    try:
        import lance_ray  # noqa: F401 - needed in a moment, and worth no cluster if it is missing
        import ray
        import ray.data
    except ImportError:
        raise SongprintError(
            "--ray needs the extra [cluster]: pip install 'songprint[cluster]'"
        ) from None
    _quieten(ray)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    is_ours = not ray.is_initialized()
    if is_ours:
        if address == "local":
            options |= {"num_cpus": workers, "include_dashboard": False}
            options |= {"object_store_memory": 200 << 20}
        try:
            with _silent_core(), warnings.catch_warnings():
                # Of LanceDB, that a fork may hang: Ray forks to start programs, and nothing else.
                warnings.simplefilter("ignore")
                ray.init(address=address, **options)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise SongprintError(f"{address}: no Ray cluster: {error}") from error
    return ray, is_ours


@contextmanager
def _silent_core() -> Iterator[None]:
    """Start Ray's core such that it keeps to its log files what is no end of the run.

    It is told so by the environment, and says on stderr that it was.
    """
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _quieten(ray: Any) -> None:
    """Let Ray tell its log files, not people, of each pipeline and each try that failed."""
    data = logging.getLogger("ray.data")
    for handler in data.handlers:
        if "Plain" in type(handler).__name__:
            data.removeHandler(handler)
    logging.getLogger("ray").setLevel(logging.ERROR)
    # Nothing else turns off what it prints of nodes that die, on stdout, where documents go.
    ray._private.worker.print_to_stdstream = lambda *_, **__: None


class RayPool:
    """Runs jobs on the cluster, as a Ray Data pipeline of blocks."""

    def __init__(
        self,
        place: str,
        holdings: Holdings,
        batch: Batch,
        workers: int,
        time_limit_seconds: float | None,
    ) -> None:
        self._place, self._holdings, self._batch = place, holdings, batch
        self._workers, self._time_limit_seconds = workers, time_limit_seconds

    def run(
        self, next_job: Callable[[], Job | None], _: Callable[[Job, Identified], bool]
    ) -> Iterator[Outcome | None]:
        """Do jobs until there are none; who is wanted is decided on the cluster, by claims."""
        while jobs := list(iter(next_job, None)):
            left = {job.file.path: job for job in jobs}
            waiting: list[Outcome] = []
            for attempt in range(MOST_TRIES):
                if left:
                    yield from self._once(left, 1 if attempt else SONGS_A_BLOCK, waiting)
            for job in left.values():
                yield Outcome(job, error="every worker that heard it ended early", passing=True)
            yield from waiting

    def _once(
        self, left: dict[str, Job], block: int, waiting: list[Outcome]
    ) -> Iterator[Outcome | None]:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # Beside this process, so that it lives as long: any other node may go.
        here: Any = NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        actor: Any = ray.remote
        claims = actor(num_cpus=0, scheduling_strategy=here)(Claims)
        claims = claims.remote(list(self._holdings.current), list(self._holdings.old))
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars, context.max_errored_blocks = False, -1
        jobs = list(left.values())
        tables = [_table(jobs[n : n + block]) for n in range(0, len(jobs), block)]
        with warnings.catch_warnings():
            # Nothing else says how often; a block that kills actors would be tried for ever.
            warnings.simplefilter("ignore", DeprecationWarning)
            heard = ray.data.from_arrow(tables).map_batches(
                HearSongs,
                batch_format="pyarrow",
                batch_size=None,
                compute=ray.data.ActorPoolStrategy(size=min(self._workers, len(tables))),
                num_cpus=1,
                max_task_retries=MOST_TRIES,
                fn_constructor_args=(claims, self._place, self._time_limit_seconds),
            )
        for row in heard.iter_rows():
            told: Told = pickle.loads(row["told"])
            if isinstance(self._batch, FragmentBatch):
                self._batch.stage(told.fragments)
            for outcome in [*told.outcomes, *told.waiting]:
                left.pop(outcome.job.file.path, None)
            waiting += told.waiting
            yield from told.outcomes


def _table(jobs: list[Job]) -> pa.Table:
    files = [job.file for job in jobs]
    return pa.table(
        {
            "path": [written_path(file.path) for file in files],
            "size": [file.size for file in files],
            "mtime_ns": [file.mtime_ns for file in files],
            "thorough": [job.wanted.thorough for job in jobs],
        }
    )
