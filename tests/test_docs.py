"""The documents say what is so: commands parse, links and modules exist, genres are all there."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from songprint.cli.app import app
from songprint.genre.taxonomy import GENRES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md")))
}
COMMANDS = typer.main.get_command(app).commands
SCRIPTS = "".join(path.read_text("utf-8") for path in ROOT.glob("benchmarks/*.py"))
OPTIONS = {name: {o for p in c.params for o in p.opts} for name, c in COMMANDS.items()}


def shown_commands(text):
    """Return the lines of code blocks that run songprint."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^(?:\$ )?(songprint .+)$", "\n".join(blocks), re.MULTILINE)


def quoted(text):
    """Return what is in backquotes between the code blocks."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]


LINES = [(page, line) for page, text in PAGES.items() for line in shown_commands(text)]
NAMED = [
    (page, code)
    for page, text in PAGES.items()
    for code in dict.fromkeys(quoted(text))
    if re.match(r"songprint [a-z]|--[a-z]", code)
]


def test_the_readme_shows_every_command():
    shown = {shlex.split(line, comments=True)[1] for line in shown_commands(README)}
    assert shown == set(COMMANDS)


@pytest.mark.parametrize(("page", "line"), LINES)
def test_commands_in_code_blocks_parse(page, line):  # noqa: ARG001 - it names the test
    words = shlex.split(line.split(" > ")[0], comments=True)
    COMMANDS[words[1]].make_context(words[1], words[2:])


@pytest.mark.parametrize(("page", "code"), NAMED)
def test_commands_and_options_that_are_named_exist(page, code):  # noqa: ARG001
    _, command, *_ = [*code.split(), ""] if code.startswith("songprint ") else ["", "", ""]
    scripts = set(re.findall(r'add_argument\("(--[a-z-]+)"', SCRIPTS))
    known = OPTIONS[command] if command else scripts.union(*OPTIONS.values())
    assert set(re.findall(r"(?<!\S)--[a-z-]+", code)) - {"--help"} <= known


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", PAGES[page])
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert not missing


def test_the_readme_names_the_genres_of_the_taxonomy():
    assert ", ".join(GENRES) in " ".join(README.split())


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"make (\w+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    "path", re.findall(r"`([\w/]+\.py)`", (ROOT / "docs/architecture.md").read_text("utf-8"))
)
def test_modules_on_the_map_exist(path):
    package = ROOT / "src" / "songprint"
    folders = [ROOT, package, *(f for f in package.iterdir() if f.is_dir())]
    assert any((folder / path).exists() for folder in folders)
