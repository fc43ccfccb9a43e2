"""Imports LanceDB, in half the time and only where it runs."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import re
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from songprint.errors import LibraryError

CPU_INFO = Path("/proc/cpuinfo")
_REST_CLIENT = "lance_namespace_urllib3_client"


def import_lancedb() -> Any:
    """Return the module.

    Its import takes a second, half of which goes into validators for the calls of a REST API that
    no library in a folder makes: they are made when the package of that API is imported, and
    LanceDB needs no more of it than its ``models``. So a bare package stands in for it meanwhile.

    Raises
    ------
    LibraryError
        If the CPU cannot run it.
    """
    if "lancedb" not in sys.modules:
        _require_cpu()
        with suppress(ImportError, AttributeError), _BarePackage(_REST_CLIENT):
            return importlib.import_module("lancedb")
    return importlib.import_module("lancedb")


class _BarePackage:
    """Lets the modules of a package be imported without what the package itself imports."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._added: ModuleType | None = None

    def __enter__(self) -> None:
        if self._name in sys.modules:
            return
        spec = importlib.util.find_spec(self._name)
        if spec is not None and spec.submodule_search_locations is not None:
            self._added = ModuleType(self._name)
            self._added.__path__ = list(spec.submodule_search_locations)
            self._added.__spec__ = spec
            sys.modules[self._name] = self._added

    def __exit__(self, *_: object) -> None:
        if self._added is not None and sys.modules.get(self._name) is self._added:
            del sys.modules[self._name]


def _require_cpu() -> None:
    """Refuse in words what would end in an illegal instruction: the wheels for Linux need AVX2."""
    if sys.platform == "linux" and platform.machine() == "x86_64":
        with suppress(OSError):
            flags = re.search(r"^flags\s*:(.*)$", CPU_INFO.read_text(), re.MULTILINE)
            if flags and "avx2" not in flags[1].split():
                raise LibraryError("this CPU has no AVX2 instructions, which a library needs")
