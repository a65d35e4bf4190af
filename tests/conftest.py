"""What every test runs under: no network but this machine, no home folder, a known number of threads."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Before torch or a hub client is imported anywhere: they read these once.
cores_per_worker = (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, min(2, cores_per_worker))))
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    GRADIO_ANALYTICS_ENABLED="False",
    TOKENIZERS_PARALLELISM="false",
    MPLBACKEND="Agg",
)


signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what it sends to the background without it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let tests reach this machine only (rule 11 of docs/architecture.md).

    pytest-socket reads these options when its own turn comes, later.
    """
    config.option.allow_hosts = "127.0.0.1,::1,localhost"
    config.option.allow_unix_socket = True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests skip with the reason where there is no browser; with INSTRUCTZOO_BROWSER=required they fail."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if not missing:
        return
    reason = f"not installed: {', '.join(missing)} (Debian: apt-get install chromium chromium-driver)"
    if os.environ.get("INSTRUCTZOO_BROWSER") == "required":
        raise pytest.UsageError(reason)
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Built rows, converted backbones and runs go to a folder of this session, never to the user's."""
    folder = tmp_path_factory.mktemp("instructzoo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTZOO_CACHE", str(folder / "cache"))
        patch.setenv("INSTRUCTZOO_RUNS", str(folder / "runs"))
        patch.setenv("HF_HOME", str(folder / "huggingface"))
        yield


@pytest.fixture
def fetched_bases(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache that `zoo fetch` has filled: $INSTRUCTZOO_TEST_CACHE, or the user's; skips where a base is missing."""
    from instructzoo.core.models import downloads
    from instructzoo.core.models.backbones import SMOLLM2

    default = Path.home() / ".cache" / "instructzoo"
    monkeypatch.setenv("INSTRUCTZOO_CACHE", os.environ.get("INSTRUCTZOO_TEST_CACHE", str(default)))
    if not downloads.ready(SMOLLM2):
        pytest.skip(f"{SMOLLM2.name} is not in the cache: zoo fetch {SMOLLM2.name}")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of the real corpora: $INSTRUCTZOO_DATA, or ../shared/data beside the checkout."""
    folder = Path(os.environ.get("INSTRUCTZOO_DATA", str(ROOT.parent / "shared" / "data")))
    if not folder.is_dir():
        pytest.skip(f"no corpora in {folder}; INSTRUCTZOO_DATA names another folder")
    return folder
