"""What the machine is, as far as it tells; nothing here fails on a system that does not."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from songprint.cli.hearing import usable_cores

FEATURES = {
    "avx": "AVX",
    "avx2": "AVX2",
    "fma": "FMA",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "amx_tile": "AMX",
    "neon": "NEON",
    "asimd": "NEON",
    "asimddp": "dot product",
    "sve": "SVE",
}
"""Linux's names of what makes arithmetic fast, and everybody's."""


def is_x86() -> bool:
    """Tell whether the CPU is Intel's or AMD's kind."""
    return platform.machine().lower() in {"x86_64", "amd64", "i386", "i686"}


def cpu_model() -> str:
    """Return the CPU's name."""
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine() or "unknown"


def cpu_features() -> list[str]:
    """Return the CPU's vector instructions, as far as the system tells."""
    found = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    flags = set(found[1].split()) if found else set()
    if not flags and platform.machine().lower() in {"arm64", "aarch64"}:
        return ["NEON"]  # every 64-bit ARM has it
    return list(dict.fromkeys(name for flag, name in FEATURES.items() if flag in flags))


def cores() -> tuple[float, int]:
    """Return how many cores may be used (a container may grant a part of one), and are there."""
    usable: float = usable_cores()
    quota = _read("/sys/fs/cgroup/cpu.max").split()
    if len(quota) == 2 and quota[0].isdigit() and quota[1].isdigit():
        usable = min(usable, round(int(quota[0]) / int(quota[1]), 2))
    return usable, os.cpu_count() or 1


def free_memory_bytes() -> int | None:
    """Return how much memory may still be used; None if the system does not tell."""
    available = re.search(r"^MemAvailable:\s*(\d+) kB$", _read("/proc/meminfo"), re.MULTILINE)
    amounts = [int(available[1]) * 1024] if available else []
    limit, used = (_read(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    if limit.isdigit() and used.isdigit():
        amounts.append(max(0, int(limit) - int(used)))
    return min(amounts, default=None)


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""
