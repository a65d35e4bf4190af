"""Published checkpoints: opened by name, asked and read as their authors did. Stand-ins share their layout alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from test_backbones import saved

from instructzoo.core import api, infer, load
from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.commands import eval as evaluation
from instructzoo.core.domain import OFFICIAL_DOMAINS
from instructzoo.core.errors import ZooError
from instructzoo.core.infer import Predictor
from instructzoo.core.infer.own_format import in_own_format
from instructzoo.core.models import downloads, hub, tokenizers
from instructzoo.core.report import exported_card
from instructzoo.core.report.published import PLACE, published_table, update_page
from instructzoo.core.terminal import model_printers

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = [
    (name, model) for name in OFFICIAL_DOMAINS for model in domains.get(name).models if model.kind == "published"
]
NAMES = [f"{domain}/{model.name}" for domain, model in PUBLISHED]

GOATS_ADAPTER = {"bias": "none", "enable_lora": None, "fan_in_fan_out": False, "inference_mode": True,
                 "lora_alpha": 64, "lora_dropout": 0.05, "merge_weights": False, "modules_to_save": None,
                 "peft_type": "LORA", "r": 4, "target_modules": ["q_proj", "v_proj", "k_proj", "o_proj"],
                 "task_type": "CAUSAL_LM"}  # fmt: skip
"""The configuration of Goat's adapter, which an early version of peft wrote, with a smaller rank."""


@pytest.mark.parametrize(("domain", "model"), PUBLISHED, ids=NAMES)
def test_every_published_checkpoint_has_a_recipe_that_asks_it_in_its_own_prompts(domain: str, model: Any) -> None:
    settings = recipes.load(f"{domain}/{model.name}")
    assert settings.model.backbone == (model.base if model.adapter else model.repository)
    assert settings.model.dialect == model.dialect
    assert domains.get(domain).prompts(model.dialect).render
    assert not settings.evaluate.baselines, "its base would be fetched too, to be asked untuned"
    assert settings.paper.startswith("arXiv:")
    assert model.source.startswith("https://") and model.repository.count("/") == 1


@pytest.mark.parametrize("domain", OFFICIAL_DOMAINS)
def test_the_table_of_published_checkpoints_is_in_the_readme_as_generated(domain: str, tmp_path: Path) -> None:
    text = (ROOT / "packages" / domain / "README.md").read_text(encoding="utf-8")
    assert [match["name"] for match in PLACE.finditer(text)] == [domain]
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert not update_page(tmp_path / "page.md"), "python -m instructzoo.core.report.published packages/*/README.md"
    assert len(published_table(domains.get(domain)).rows) >= 1


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """One that writes the long prompts in as few tokens as the checkpoints' own do."""
    absa = domains.get("absa")
    prompts = [absa.prompts(name).render({"input": "The bar was bad."}, 0)[0].text for name in absa.dialects()]
    return tokenizers.train_tokenizer("bpe", [*prompts, "What is 12 + 30?\nAnswer: 12 + 30 = 42"], 700)


@pytest.fixture(scope="module")
def t5(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "t5"
    return saved("T5", tokenizer, folder, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
                 decoder_start_token_id=0)  # fmt: skip


@pytest.fixture(scope="module")
def goat(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of Goat's layout on a LLaMA of two layers."""
    from peft import LoraConfig, get_peft_model

    folder = tmp_path_factory.mktemp("models")
    base = saved("Llama", tokenizer, folder / "llama", hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                 num_attention_heads=4)  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_pretrained(str(base))
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=64, target_modules=GOATS_ADAPTER["target_modules"]))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    adapted.save_pretrained(str(folder / "goat"))
    config = GOATS_ADAPTER | {"base_model_name_or_path": str(base)}
    (folder / "goat" / "adapter_config.json").write_text(json.dumps(config))
    return folder / "goat"


def opened(domain: str, name: str, folder: Path, tokens: int = 8) -> Predictor:
    predictor: Predictor = infer.open_model(domains.get(domain), f"{name}={folder}")
    decode = predictor.recipe.decode.model_copy(update={"max_new_tokens": tokens})
    return replace(predictor, recipe=predictor.recipe.model_copy(update={"decode": decode}))


def test_an_adapter_opens_on_its_base_with_the_settings_of_its_recipe(goat: Path) -> None:
    from peft import PeftModel

    untouched: Predictor = infer.open_model(domains.get("arithmetic"), f"goat-lora-7b={goat}")
    assert untouched.model is not None and untouched.model.name == "goat-lora-7b"
    assert untouched.recipe.decode.max_new_tokens == 512 and untouched.recipe.decode.temperature == 0
    predictor = opened("arithmetic", "goat-lora-7b", goat)
    row = {"instruction": "What is 12 + 30?", "input": "12 + 30"}
    ids = torch.tensor([predictor.encoder().prompt(row)])
    assert predictor.loaded.tokenizer.decode(ids[0]).endswith("What is 12 + 30?\nAnswer: ")
    base = json.loads((goat / "adapter_config.json").read_text())["base_model_name_or_path"]
    plain = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float16)
    reference = PeftModel.from_pretrained(plain, str(goat), torch_dtype=torch.float16).eval()
    device = next(predictor.loaded.model.parameters()).device
    with torch.no_grad():
        ours = predictor.loaded.model(ids.to(device)).logits.cpu()
        assert torch.allclose(ours, reference(ids).logits.cpu(), atol=1e-2)
    assert isinstance(predictor.answer([row])[0], str)


@pytest.mark.parametrize(
    ("domain", "name", "row", "piece"),
    [
        ("absa", "instructabsa-joint", {"input": "The bar was bad."}, "Now complete the following example-"),
        ("absa", "instructabsa-ate", {"input": "The bar was bad."}, "output should be noaspectterm."),
        ("uie", "instructuie", {"input": "Ann left.", "options": ["person"]}, "Option: person \nText: Ann left."),
    ],
)
def test_an_encoder_decoder_is_asked_in_the_prompts_of_its_dialect(
    domain: str, name: str, row: dict[str, Any], piece: str, t5: Path
) -> None:
    predictor = opened(domain, name, t5)
    assert predictor.loaded.kind == "seq2seq"
    assert not predictor.constrained
    assert piece in "".join(segment.text for segment in predictor.prompts.render(row, 0))
    end = predictor.loaded.tokenizer.eos_token_id
    ids = [predictor.encoder().tokenize(s.text) for s in predictor.prompts.render(row, 0) if not s.supervised]
    assert predictor.encoder().prompt(row) == [*ids[0], end]
    assert isinstance(predictor.answer([row])[0], str)


def test_answers_in_a_dialect_are_scored_and_kept_as_they_came(
    t5: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absa = domains.get("absa")
    make_row = absa.prompts().make_row
    quads = [absa.prompts().parse("bar is bad", {"task": "aesc"}).quads, ()]
    rows = [make_row(text, q, "aesc", 0) for text, q in zip(("The bar was bad.", "We went."), quads, strict=True)]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = ["bar:negative", "noaspectterm:none"]
    monkeypatch.setattr(Predictor, "answer_counted", lambda self, rows, on_answered=None: (answers, {}))
    scores = evaluation.eval("absa", model=f"instructabsa-joint={t5}", rows=str(file), quiet=True)
    assert scores["n"] == 2
    assert {f["value"] for f in scores["systems"]["model"]["figures"] if f["metric"] == "F1"} == {1.0}


def test_typed_answers_of_a_checkpoint_are_of_the_task_that_it_answers(
    t5: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = {"absa": "wine:positive, service:negative", "uie": "( attack: bombed, Oslo: place)"}
    asked = list[dict[str, Any]]()

    def answer(self: Predictor, rows: list[dict[str, Any]]) -> list[str]:
        asked.extend(rows)
        assert all(self.prompts.render(row, 0) for row in rows)
        return [outputs[self.domain.name]] * len(rows)

    monkeypatch.setattr(Predictor, "answer", answer)
    model = load("absa", f"instructabsa-joint={t5}")
    (review,) = model(["Great wine, slow service"])
    assert {row["task"] for row in asked} == {"aesc"}
    found = [(q.quad.aspect, q.quad.sentiment, q.aspect) for q in review.quads]
    assert found == [("wine", "positive", (6, 10)), ("service", "negative", (17, 24))]
    (wrong_task,) = model(["Great wine"], task="asqp")
    assert "a question of the task asqp; expected aesc" in wrong_task.error
    extracted = load("uie", f"instructuie={t5}")(["Oslo was bombed."], task="ee", labels={"attack": ["place"]})[0]
    assert [(e.type, e.trigger.text, e.arguments[0].type, e.arguments[0].start) for e in extracted.events] == [
        ("attack", "bombed", "place", 0)
    ]


def test_an_exported_checkpoint_in_half_precision_opens_in_its_dialect(
    t5: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Predictor, "answer", lambda self, rows: ["None"] * len(rows))
    monkeypatch.setattr(exported_card, "run_code", lambda code, folder: ("", "not run by this test"))
    api.export("uie", str(tmp_path / "out"), model=f"instructuie={t5}")
    settings = infer.open_model(domains.get("uie"), str(tmp_path / "out")).recipe.model
    assert (settings.dialect, settings.weights) == ("instructuie", "bfloat16")


def test_an_output_that_means_nothing_in_a_dialect_means_nothing_in_the_own_format(t5: Path) -> None:
    predictor = opened("absa", "instructabsa-joint", t5)
    outputs = ["bar:negative", "bar", "bar is bad"]
    rows = [{"input": "The bar was bad.", "task": "aesc"}] * len(outputs)
    # the second stays to be read by people; the third would mean something
    assert in_own_format(predictor, rows, outputs) == ["bar is bad", "bar", ""]


def test_a_copy_without_safetensors_and_a_folder_of_a_bundled_model_are_one_line(goat: Path, tmp_path: Path) -> None:
    arithmetic = domains.get("arithmetic")
    (tmp_path / "adapter_config.json").write_text((goat / "adapter_config.json").read_text())
    (tmp_path / "adapter_model.bin").write_bytes(b"not opened")
    with pytest.raises(ZooError, match="holds no safetensors; expected weights as safetensors; pickles are not opened"):
        infer.open_model(arithmetic, f"goat-lora-7b={tmp_path}")
    with pytest.raises(ZooError, match=r"no model in .*nowhere; expected one of "):
        infer.open_model(arithmetic, f"goat-lora-7b={tmp_path / 'nowhere'}")
    with pytest.raises(ZooError, match="tiny is in the package"):
        infer.open_model(arithmetic, f"tiny={tmp_path}")


class Hub:
    """The hub's client: what is asked for, and a folder with files that match."""

    def __init__(self, folder: Path, files: tuple[str, ...]) -> None:
        self.folder, self.files, self.calls = folder, files, list[dict[str, Any]]()

    def __call__(self, repository: str, **options: Any) -> str:
        from fnmatch import fnmatch

        self.calls.append(options)
        for name in self.files:
            if any(fnmatch(name, pattern) for pattern in options["allow_patterns"]) and not any(
                fnmatch(name, pattern) for pattern in options["ignore_patterns"]
            ):
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_text("{}")
        return str(self.folder)


def fetched(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_pickles_are_not_fetched_and_a_repository_of_nothing_else_says_how_to_convert_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Hub(tmp_path, ("config.json", "pytorch_model.bin", "README.md"))
    monkeypatch.setattr("huggingface_hub.snapshot_download", client)
    expected = r"holds no safetensors; .* pickles are not opened; convert them .* then --model instructuie=FOLDER"
    with pytest.raises(ZooError, match=f"instructuie: ZWK/InstructUIE {expected}"):
        infer.open_model(domains.get("uie"), "instructuie")
    assert fetched(tmp_path) == {"config.json"}


def test_a_repository_that_is_known_to_hold_pickles_alone_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", Hub(Path("nowhere"), ()))
    with pytest.raises(
        ZooError, match=r"tiedong/goat-lora-7b holds pickles alone; .* then --model goat-lora-7b=FOLDER"
    ):
        infer.open_model(domains.get("arithmetic"), "goat-lora-7b")
    model_printers.models(api.models("arithmetic"))
    assert "goat-lora-7b  published, to be converted first (docs/models.md)" in capsys.readouterr().out


def test_of_a_pipeline_the_parts_are_fetched_at_the_revision_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = ("unet/diffusion_pytorch_model.safetensors", "vae/config.json", "tokenizer/merges.txt", "model_index.json")
    others = ("whole.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.bin",
              "safety_checker/model.safetensors")  # fmt: skip
    client = Hub(tmp_path, (*parts, *others))
    monkeypatch.setattr("huggingface_hub.snapshot_download", client)
    (model,) = (model for domain, model in PUBLISHED if domain == "pix2pix")
    assert hub.snapshot(model.repository, model.revision) == tmp_path
    assert fetched(tmp_path) == set(parts)
    assert {call["revision"] for call in client.calls} == {model.revision}


def test_a_pipeline_of_half_precision_alone_is_fetched_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ("model_index.json", "unet/diffusion_pytorch_model.fp16.safetensors")
    monkeypatch.setattr("huggingface_hub.snapshot_download", Hub(tmp_path, files))
    assert fetched(hub.snapshot("some/editor")) == set(files)


def test_a_repository_that_was_fetched_in_part_is_not_ready_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json")
    monkeypatch.setattr("huggingface_hub.snapshot_download", Hub(tmp_path, files))
    assert downloads.at_hand("some/model")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda repository, **options: str(tmp_path))
    assert not downloads.at_hand("some/model")
    with pytest.raises(ZooError, match=r"fetched in part: model-00002-of-00002.safetensors is missing; .* zoo fetch"):
        hub.snapshot("some/model", offline=True)
    (tmp_path / "model-00002-of-00002.safetensors").write_text("{}")
    assert downloads.at_hand("some/model")
    (tmp_path / "config.json").unlink()
    assert hub.missing_files(tmp_path) == ["config.json"]
    (tmp_path / "model_index.json").write_text('{"unet": ["diffusers", "UNet"], "vae": ["diffusers", "VAE"]}')
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "model.safetensors").write_text("{}")
    assert hub.missing_files(tmp_path) == ["unet/*.safetensors"]
