"""SIGTERM, SIGHUP, a full disk and a closed pipe end every command in one line or none, and leave nothing behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from kit import kit, recipe, started
from test_cli import one_line

from instructzoo.core import runs
from instructzoo.core.errors import Stopped
from instructzoo.core.tune import loop
from instructzoo.core.tune.stop_signals import stop_signals

ZOO = [sys.executable, "-m", "instructzoo.core.cli"]


def zoo(*arguments: str, out: str = "/dev/full") -> subprocess.CompletedProcess[str]:
    with Path(out).open("w") as file:
        return subprocess.run([*ZOO, *arguments], stdout=file, stderr=subprocess.PIPE, text=True, timeout=120)


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["--help"]])
def test_a_standard_output_that_is_full_is_one_line(command: list[str]) -> None:
    one_line(zoo(*command), "standard output: No space left on device")


def test_a_closed_pipe_ends_a_command_without_a_word() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*ZOO, "list", "--json"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(writing)
    assert (done.returncode in (1, 141), done.stderr) == (True, "")


def test_standard_streams_that_are_closed_are_empty() -> None:
    command = f"exec {shlex.join([*ZOO, 'predict', 'arithmetic', '-'])} <&- >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, timeout=120)
    one_line(done, "standard input")


def test_a_cache_folder_that_cannot_be_made_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", Path("/proc/none")):
        monkeypatch.delenv("INSTRUCTZOO_CACHE", raising=False)
        monkeypatch.setenv("HOME", str(home))
        one_line(zoo("data", "arithmetic/tiny", "data.sizes.train=40", out=os.devnull), str(home))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_every_stop_signal_saves_a_checkpoint(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summed_loss, calls = loop.summed_loss, [0]

    def signalled(*arguments: object) -> object:
        calls[0] += 1
        if calls[0] == 5:
            os.kill(os.getpid(), number)
        return summed_loss(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "summed_loss", signalled)
    folder = started(recipe(), tmp_path)
    with pytest.raises(Stopped) as stopped:
        kit(recipe()).fit(folder)
    assert stopped.value.signal_number == number
    assert len(list(folder.glob("checkpoints/step-*"))) == 1
    assert runs.Run(folder).manifest()["checkpoint"] == stopped.value.step


def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals() as received:
            os.kill(os.getpid(), signal.SIGHUP)
        assert received == []
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, previous)


WRITER = """import sys, time, pathlib
from instructzoo.core import atomic_files, stop_signals
if sys.argv[2] == "clean": stop_signals.exit_on_stop_signals()
with atomic_files.atomic_file(pathlib.Path(sys.argv[1])) as file, atomic_files.atomic_folder(
        pathlib.Path(sys.argv[1] + ".d")) as folder:
    file.write("half")
    (folder / "half").touch()
    print("writing", flush=True)
    time.sleep(60)"""


def writer(path: Path, kind: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), kind], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "writing\n"
    return process


def test_a_terminated_writer_removes_what_it_was_writing(tmp_path: Path) -> None:
    process = writer(tmp_path / "out", "clean")
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_the_next_writer_removes_what_a_killed_one_left_and_not_what_a_living_one_writes(tmp_path: Path) -> None:
    killed, living = writer(tmp_path / "out", "killed"), writer(tmp_path / "out", "living")
    killed.kill()
    killed.wait()
    assert len(list(tmp_path.iterdir())) == 4
    runs.write_text(tmp_path / "out", "whole")
    with runs.atomic_folder(tmp_path / "out.d"):
        pass
    assert len(list(tmp_path.glob(".*.tmp"))) == 2
    living.kill()
    living.wait()
    runs.write_text(tmp_path / "out", "whole")
    with runs.atomic_folder(tmp_path / "out.d"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.d"]


def test_the_folder_of_a_writer_killed_between_two_renames_is_put_back(tmp_path: Path) -> None:
    (tmp_path / ".model.0a1b2c3d.old.tmp").mkdir()
    (tmp_path / ".model.0a1b2c3d.old.tmp" / "weights").touch()
    with pytest.raises(KeyboardInterrupt), runs.atomic_folder(tmp_path / "model"):
        raise KeyboardInterrupt
    assert (tmp_path / "model" / "weights").is_file()


DEMO = """import gradio, instructzoo.core.ui as ui
with ui.page("files") as blocks: gradio.File()
ui.launch(blocks)"""


def test_a_terminated_demo_leaves_no_upload(tmp_path: Path) -> None:
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", DEMO], stdout=subprocess.PIPE, text=True, env=environment) as demo:
        assert demo.stdout is not None
        address = demo.stdout.readline().split()[1]
        body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n1 + 1\r\n--x--\r\n'
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        urllib.request.urlopen(urllib.request.Request(f"{address}gradio_api/upload", body, headers)).close()
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.txt"]
        time.sleep(0.2)
        demo.terminate()
        assert demo.wait(60) == 128 + signal.SIGTERM
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
