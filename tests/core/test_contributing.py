"""CONTRIBUTING.md can be followed in order: every command of "Adding a domain" is run as it stands there."""

from __future__ import annotations

import importlib.util
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest
from test_new_domain import installed
from typer.main import get_command

from instructzoo.core import domain as domains
from instructzoo.core.cli import app

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = re.search(r"## Adding a domain\n(.*?)\n## ", GUIDE, re.DOTALL)
STEPS = SECTION[1] if SECTION else ""

ELSEWHERE = {"make test", ".ci/run"}
"""Commands of the section that run these very tests."""


def commands(text: str) -> list[str]:
    """Lines of code blocks that are commands, without their comments."""
    lines = [line.strip().partition("  #")[0].strip() for line in re.findall(r"^    (\S.*)$", text, re.MULTILINE)]
    return [line for line in lines if line.split()[0] in ("zoo", "make", "python", ".ci/run")]


def test_every_make_target_and_zoo_command_of_the_guide_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in commands(GUIDE):
        program, *arguments = shlex.split(command)
        if program == "make":
            assert arguments[0] in targets, command
        if program == "zoo":
            assert arguments[0] in get_command(app).commands, command  # type: ignore[attr-defined]


def test_every_helper_in_the_guides_table_can_be_imported() -> None:
    table = GUIDE[GUIDE.index("### Helpers of the core") : GUIDE.index("### Words")]
    names = re.findall(r"`core\.([\w.]+)", table)
    assert len(names) > 15
    for name in names:
        module, _, attribute = f"instructzoo.core.{name}".rpartition(".")
        assert attribute in dir(importlib.import_module(module)) or importlib.util.find_spec(f"{module}.{attribute}"), (
            name
        )


def test_the_glossary_has_at_most_twenty_words() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| [^|]+ \|$", GUIDE[GUIDE.index("### Words") : GUIDE.index("## Checks")], re.MULTILINE
    )
    assert 10 <= len(rows) - 2 <= 20  # without head and rule


@pytest.mark.slow
def test_the_steps_can_be_followed_in_order(tmp_path: Path) -> None:
    if "units" in domains.discover():
        pytest.skip("a domain called units is installed: the guide's example cannot be written beside it")
    for name in ("packages", "docs"):
        (tmp_path / name).mkdir()
    for name in ("pyproject.toml", "LICENSE"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "README.md").write_text("<!-- results:units/weights/tiny -->\n<!-- /results -->\n")
    (tmp_path / "shared").symlink_to(ROOT / "shared")
    environment: dict[str, str] = {}
    run, done = "", []
    for command in commands(STEPS):
        if command in ELSEWHERE:
            continue
        if (
            command == "make install"
        ):  # what it does is tested by every call of make; here the package goes onto the path
            environment = installed(tmp_path, "units")
            assert (
                "instructzoo-units" in tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["uv"]["sources"]
            )
        elif command.startswith("zoo demo"):
            check_demo(command, tmp_path, environment)
        else:
            out = shell(command.replace("RUN", run), tmp_path, environment)
            if command.startswith("zoo reproduce"):
                run = str(next((tmp_path / "runs" / "units" / "tiny").iterdir()))
                assert run in out  # the guide says so
            if command.startswith("python -m pytest"):
                assert ("bundles no model yet" in out) == (not run), out
        done.append(command.split()[1])
    steps = ["new", "install", "doctor", "-m", "data", "explain", "plan", "reproduce", "bundle", "-m", "demo", "doctor"]
    assert done == steps
    assert "this model" in (tmp_path / "README.md").read_text()


def shell(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command of the guide with this interpreter; what it printed."""
    line = re.sub(r"^zoo ", f"{sys.executable} -m instructzoo.core.cli ", command)
    line = re.sub(r"^python ", f"{sys.executable} ", line) + (
        " -rs -p no:cacheprovider" if "pytest" in command.split() else ""
    )
    ended = subprocess.run(
        line, shell=True, cwd=folder, env=environment or None, capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def check_demo(command: str, folder: Path, environment: dict[str, str]) -> None:
    """The demo answers over HTTP, and ends when it is told to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [sys.executable, "-m", "instructzoo.core.cli", *shlex.split(command)[1:], "--port", str(port)]
    with subprocess.Popen(line, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as demo:
        try:
            end = time.monotonic() + 120
            while time.monotonic() < end and demo.poll() is None:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
                        assert page.status == 200
                        return
                except OSError:
                    time.sleep(0.5)
            raise AssertionError(f"the demo did not answer: {demo.stderr.read().decode() if demo.stderr else ''}")
        finally:
            demo.terminate()
