from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from songprint.cli import checks, machine
from songprint.cli.app import app
from songprint.errors import ModelError
from support.drawing import document

GROUPS = ["versions", "machine", "decoders", "model", "library", "optional"]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["doctor", "--library", "/nowhere/at/all", *arguments])


@pytest.fixture
def few_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each package costs a process."""
    monkeypatch.setattr(checks, "PACKAGES", {"soxr": "soxr"})


def test_this_installation_is_healthy() -> None:
    result = run("--json")
    report = document("doctor", result.stdout)
    failures = [check for check in report["checks"] if check["status"] == "failure"]
    assert failures == []
    assert report["healthy"] is True
    assert (result.exit_code, result.stderr) == (0, "")
    assert set(GROUPS) == {check["group"] for check in report["checks"]}
    for check in report["checks"]:
        assert list(check) == ["group", "name", "status", "value", "advice"]
        assert check["value"]
    names = {check["name"] for check in report["checks"]}
    assert {"songprint", "Python", "platform", *checks.PACKAGES, "FFmpeg"} <= names
    assert {"CPU", "CPU features", "cores", "memory", *checks.DECODERS} <= names
    assert {"version", "checksum", "self-test", "[train]"} <= names


@pytest.mark.usefixtures("few_packages")
def test_the_table_names_every_group_and_fits_a_terminal() -> None:
    lines = run().stdout.splitlines()
    assert [line.strip() for line in lines if line.strip() in GROUPS] == GROUPS
    assert max(map(len, lines)) <= 80
    assert any("mp3, aac, flac" in line for line in lines)


@pytest.mark.usefixtures("few_packages")
def test_a_missing_common_decoder_is_a_failure_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "DECODERS", {"mp3": "no_such_decoder"})
    result = run("--json")
    report = document("doctor", result.stdout)
    (check,) = [check for check in report["checks"] if check["group"] == "decoders"]
    assert (check["name"], check["status"], check["value"]) == ("mp3", "failure", "missing")
    assert "pip install" in check["advice"]
    assert report["healthy"] is False
    assert result.exit_code == 1


@pytest.mark.usefixtures("few_packages")
def test_a_missing_rare_decoder_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "DECODERS", {"ape": "no_such_decoder"})
    result = run()
    assert result.exit_code == 0
    assert "missing" in result.stdout


@pytest.mark.usefixtures("few_packages")
def test_a_damaged_model_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise ModelError("encoder.onnx is damaged")

    monkeypatch.setattr("songprint.fingerprints.default_fingerprinter", damaged)
    result = run()
    assert result.exit_code == 1
    assert "encoder.onnx is damaged" in result.stdout


@pytest.mark.usefixtures("few_packages")
def test_a_package_that_has_changed_so_that_no_file_is_heard_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("av.open")
    result = run("--json")
    (check,) = [c for c in document("doctor", result.stdout)["checks"] if c["name"] == "self-test"]
    assert (result.exit_code, check["status"]) == (1, "failure")
    assert "av" in check["value"]


def test_a_package_that_does_not_load_is_a_failure() -> None:
    check = checks.check_package("no_such_package_anywhere", "no_such_package_anywhere")
    assert check.status == "failure"
    assert "No module named" in check.value
    assert check.advice is not None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to die of")
def test_a_package_that_the_cpu_cannot_run_is_told_and_not_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "too_new.py").write_text(
        "import os, resource, signal\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "os.kill(os.getpid(), signal.SIGILL)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check = checks.check_package("too_new", "too_new")
    assert check.status == "failure"
    assert "crashes: signal 4" in check.value


def test_what_is_not_loaded_safely_is_not_loaded_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        checks, "PACKAGES", {"no_such_package_anywhere": "no_such_package_anywhere"}
    )
    assert {check.group for check in checks.examine(Path())} == {"versions", "machine", "optional"}


def test_little_memory_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 100 << 20)
    (memory,) = [check for check in checks.machine_checks() if check.name == "memory"]
    assert memory.status == "warning"
    assert memory.value == "0.1 GiB usable"


def test_the_machine_is_read_from_what_linux_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "/proc/cpuinfo": "model name\t: Fast CPU 9\nflags\t\t: fpu avx avx2 avx512f\n",
        "/proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable:    4000000 kB\n",
        "/sys/fs/cgroup/cpu.max": "50000 100000\n",
        "/sys/fs/cgroup/memory.max": "2000000000\n",
        "/sys/fs/cgroup/memory.current": "500000000\n",
    }
    monkeypatch.setattr(machine, "_read", lambda path: told.get(path, ""))
    assert machine.cpu_model() == "Fast CPU 9"
    assert machine.cpu_features() == ["AVX", "AVX2", "AVX-512"]
    assert machine.cores()[0] == 0.5
    assert machine.free_memory_bytes() == 1_500_000_000


def test_a_machine_that_tells_nothing_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_read", lambda _path: "")
    assert {check.status for check in checks.machine_checks()} == {"ok"}
