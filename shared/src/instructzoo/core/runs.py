"""The run directory and its manifest. Every file is written whole or not at all.

    runs/<domain>/<recipe>/<id>/   recipe.yaml  manifest.json  metrics.jsonl  checkpoints/  model/
                                   predictions.jsonl  scores.json  card.json  lengths.json  report.html

A name that begins with "." and ends with ".tmp" is a file that was being written when its process was killed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG)
REPORTED = ("torch", "transformers", "peft", "accelerate", "datasets", "tokenizers", "safetensors", "numpy")


@dataclass(frozen=True)
class Run:
    """One run directory. writes: whether this process does; of many processes that train together one does."""

    folder: Path
    is_main: bool = True

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def finished(self) -> bool:
        return self.manifest().get("state") == "finished"

    def path(self, name: str) -> Path:
        return self.folder / name

    def manifest(self) -> dict[str, Any]:
        path = self.folder / "manifest.json"
        return read_json(path) if path.is_file() else {}

    def update_manifest(self, **values: Any) -> None:
        """Add or replace values of the manifest."""
        if self.is_main:
            write_json(self.folder / "manifest.json", self.manifest() | values)

    def add_warning(self, text: str) -> None:
        """Something went wrong and was survived: the report says so."""
        self.update_manifest(incidents=[*self.manifest().get("incidents", []), text])

    def recipe(self) -> Recipe:
        return stored_recipe(self.folder)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for this process, until the block ends or the process dies.

        Raises ZooError where another process holds it: two would write one metrics.jsonl.
        """
        import fcntl

        if not self.is_main:
            yield
            return
        held = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT)  # over NFS a lock needs a file open for writing
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(held)
            raise ZooError(f"another process trains {self.folder}", "one", "wait for it, or stop it") from error
        except OSError:
            pass  # a file system without locks
        try:
            sweep(self.folder)
            yield
        finally:
            os.close(held)


def stored_recipe(folder: Path) -> Recipe:
    """The resolved recipe of a run or of a weights folder."""
    from instructzoo.core import recipe as recipes

    path = folder / "recipe.yaml"
    if not path.is_file():
        raise ZooError(f"no recipe.yaml in {folder}", "a run directory", "zoo train writes one")
    return recipes.load(str(path))


def root() -> Path:
    """Where runs live: $INSTRUCTZOO_RUNS or ./runs."""
    return Path(os.environ.get("INSTRUCTZOO_RUNS", "runs"))


def cache() -> Path:
    """Where built rows and converted backbones live: $INSTRUCTZOO_CACHE or ~/.cache/instructzoo."""
    return Path(os.environ.get("INSTRUCTZOO_CACHE", str(Path.home() / ".cache" / "instructzoo")))


def at(recipe: Recipe, run_id: str | None = None) -> Run:
    """Where the run of this recipe is, or will be: its id is the fingerprint of the settings."""
    return Run(root() / recipe.domain / recipe.name / (run_id or recipe.fingerprint()), is_main=is_main())


def is_main() -> bool:
    """Whether this process writes and speaks: of many that train together, the one of rank 0."""
    return os.environ.get("RANK", "0") == "0"


def start(recipe: Recipe, command: str, run_id: str | None = None) -> Run:
    """The run of this recipe: made new, or the unfinished one of the same settings to be resumed.

    The id is the fingerprint of the settings, so the same command finds its own run after a crash.
    Raises ZooError where the run is finished already, or where the directory holds another recipe's run.
    """
    run = at(recipe, run_id)
    folder = run.folder
    if (folder / "manifest.json").is_file():
        held = run.manifest().get("fingerprint")
        if held != recipe.fingerprint():
            found = f"{folder} holds a run of other settings ({held})"
            raise ZooError(found, recipe.fingerprint(), "choose another --run-id", str(folder))
        if run.finished:
            raise ZooError(
                f"{folder} is finished",
                "a new or an unfinished run",
                f"zoo eval {recipe.domain} --run {folder}, or another seed",
            )
        return run
    if folder.exists() and any(folder.iterdir()):
        raise ZooError(f"{folder} exists and is no run", "an empty or absent directory", "choose another --run-id")
    values = {"state": "started", "fingerprint": recipe.fingerprint(), "command": command, "started": now()}
    with atomic_folder(folder) as fresh:
        write_text(fresh / "recipe.yaml", recipe.resolved())
        write_json(fresh / "manifest.json", values | {"seed": recipe.seed} | environment())
    return run


def sweep(folder: Path) -> None:
    """Remove what a killed process was writing in `folder`."""
    for path in list(folder.rglob(".*.tmp")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def find(text: str) -> Run:
    """A run by its directory. Raises ZooError where there is none."""
    folder = Path(text)
    if not (folder / "manifest.json").is_file():
        raise ZooError(f"no run in {folder}", "a directory with manifest.json, as zoo train makes it")
    return Run(folder)


def environment() -> dict[str, Any]:
    """Versions and hardware, as every manifest holds them."""
    import psutil

    versions = {"python": platform.python_version()}
    for name in (*REPORTED, "instructzoo-core"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    hardware = {
        "processor": processor(),
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
        "cores": psutil.cpu_count(logical=True),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }
    return {"versions": versions, "hardware": hardware}


def processor() -> str:
    """The processor's name, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def write_text(path: Path, text: str) -> None:
    """Replace a file whole, or not at all."""
    with atomic_file(path) as file:
        file.write(text)


def write_json(path: Path, values: Any) -> None:
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False, default=str) + "\n")


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[str]]:
    """A text file that appears under its name when the block ends well, and not at all when it does not.

    It is written beside `path`, flushed to disk and renamed; what stood there stays until then.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that becomes `folder` when the block ends well, and vanishes when it does not."""
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))
        old = fresh.with_name(f"{fresh.stem}.old.tmp")
        try:
            yield fresh
            for path in fresh.rglob("*"):
                if path.is_file():
                    with path.open("rb") as file:
                        os.fsync(file.fileno())
            fresh.chmod(0o755)
            if folder.exists():
                folder.replace(old)
            fresh.replace(folder)
        finally:
            if old.exists() and not folder.exists():
                old.replace(folder)
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a forbidden folder into one line."""
    try:
        yield
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else _number_in(str(error))
        if number in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(_existing(path)).free / 2**20
            found = f"the disk is full ({free:.0f} MB free)"
            raise ZooError(found, "room to write", "free some and run again", str(path)) from error
        if number is not None and number in FORBIDDEN:
            found = f"cannot write: {os.strerror(number)}"
            raise ZooError(found, "a folder that may be written", where=str(path)) from error
        raise


def _number_in(text: str) -> int:
    """The system's error number in a message of safetensors, which has its own exception; 0 where there is none."""
    match = re.search(r"\(os error (\d+)\)", text)
    return int(match[1]) if match else 0


def _existing(path: Path) -> Path:
    return next(p for p in (path, *path.absolute().parents) if p.exists())


def read_json(path: Path) -> Any:
    """Parse a JSON file. Raises ZooError naming file and line."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ZooError(f"malformed JSON: {error.msg}", "JSON", where=f"{path}:{error.lineno}") from error
    except UnicodeDecodeError as error:
        raise ZooError(f"malformed JSON: {error.reason}", "UTF-8 text", where=str(path)) from error
    except OSError as error:
        raise ZooError(f"cannot read: {error.strerror}", "a JSON file", where=str(path)) from error


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
