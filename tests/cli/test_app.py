from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from songprint import __version__
from songprint.cli.app import app
from songprint.cli.text import clock, printable
from songprint.errors import ModelError, UsageError

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
RUN = [sys.executable, "-m", "songprint"]
HEAVY = [
    "av",
    "matplotlib",
    "numpy",
    "onnxruntime",
    "rich",
    "scipy",
    "sklearn",
    "soundfile",
    "soxr",
    "torch",
]


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def examples(command: str) -> list[str]:
    lines = invoke(command, "--help").stdout.splitlines()
    return [line.strip() for line in lines if line.strip().startswith(f"songprint {command}")]


def test_version_is_printed() -> None:
    result = invoke("--version")
    assert (result.exit_code, result.stdout) == (0, f"songprint {__version__}\n")


def test_the_module_can_be_run() -> None:
    done = subprocess.run([*RUN, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"songprint {__version__}\n"


def test_every_document_has_a_schema() -> None:
    told = {
        name
        for name, found in COMMANDS.items()
        if any("--json" in option.opts for option in found.params)
    }
    schemas = {path.name for path in (resources.files("songprint.cli") / "schemas").iterdir()}
    assert {f"{name}.json" for name in told} | {"repair.json"} == schemas


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS)])
def test_help_starts_without_heavy_imports(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from songprint.cli.app import main\n"
        f"sys.argv = ['songprint', *{arguments!r}, '--help']\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        f"    loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_examples_that_parse(command: str) -> None:
    assert examples(command)
    for line in examples(command):
        words = shlex.split(line.split(" > ")[0])
        COMMANDS[command].make_context(command, words[2:])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does_in_the_list(command: str) -> None:
    (line,) = [
        line for line in invoke("--help").stdout.splitlines() if line.startswith(f"  {command} ")
    ]
    assert line.endswith(".")
    assert not line.endswith("...")


@pytest.mark.parametrize(
    "arguments",
    [["--nonsense"], ["nonsense"], ["classify"], ["classify", "--nonsense", "a.mp3"]],
)
def test_bad_usage_exits_with_2_and_leaves_stdout_alone(arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--help" in result.stderr


@pytest.mark.parametrize(
    ("error", "exit_code", "stderr"),
    [
        (ModelError("the weights are gone"), 1, "songprint: the weights are gone\n"),
        (UsageError("that cannot be"), 2, "songprint: that cannot be\n"),
        (OSError(28, "No space left on device"), 1, "songprint: No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_becomes_a_line_and_an_exit_code(
    error: BaseException, exit_code: int, stderr: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("songprint.fingerprints.default_fingerprinter", fail)
    result = invoke("classify", "a.mp3")
    assert (result.exit_code, result.stdout, result.stderr) == (exit_code, "", stderr)


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("songprint.fingerprints.default_fingerprinter", fail)
    assert isinstance(invoke("classify", "a.mp3").exception, ZeroDivisionError)


def test_a_reader_that_stops_reading_ends_the_run_quietly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*RUN, "classify", "--json", str(tmp_path / "missing.mp3")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*RUN, "doctor", "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "songprint: No space left on device\n")


def test_matrix_products_keep_to_one_thread_unless_told_otherwise() -> None:
    code = (
        "import os, sys, contextlib\n"
        "from songprint.cli.app import main\n"
        "assert 'numpy' not in sys.modules, 'it reads the number when it is loaded'\n"
        "sys.argv = ['songprint', '--version']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'])\n"
    )
    told = []
    for setting in ({}, {"OPENBLAS_NUM_THREADS": "3"}):
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
        done = subprocess.run(
            [sys.executable, "-c", code], env=clean | setting, capture_output=True, text=True
        )
        told.append(done.stdout.splitlines()[-1])
    assert told == ["1", "3"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a process")
def test_an_interrupt_exits_with_130_at_once() -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import songprint.fingerprints\n"
        "class Slow:\n"
        "    def fingerprint(self, path, **_):\n"
        "        print('hearing', flush=True)\n"
        "        time.sleep(600)\n"
        "songprint.fingerprints.default_fingerprinter = Slow\n"
        "sys.argv = ['songprint', 'classify', 'a.mp3', 'b.mp3', '--workers', '1']\n"
        "from songprint.cli.app import main\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "hearing\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a process")
@pytest.mark.parametrize(
    "module", ["songprint.cli.ctrl_c", "typer", "songprint.cli.train", "numpy"]
)
def test_an_interrupt_while_the_program_is_being_imported_exits_with_130_quietly(
    module: str, tmp_path: Path
) -> None:
    code = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        f"sys.argv = ['songprint', 'report', '--library', {str(tmp_path)!r}]\n"
        "from songprint.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain [bold] :smile: name", "plain [bold] :smile: name"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("caf\udce9.mp3", "caf\\xe9.mp3"),
        ("👩‍👩‍👧 日本　語.mp3", "👩‍👩‍👧 日本　語.mp3"),
        ("evil\u202e3pm.exe", "evil\\u202e3pm.exe"),
        ("", "''"),
    ],
)
def test_names_are_printed_literally_and_harmlessly(name: str, shown: str) -> None:
    assert printable(name) == shown
    shown.encode()


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (185, "3:05"), (3725, "1:02:05")]
)
def test_a_time_is_minutes_and_seconds(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
