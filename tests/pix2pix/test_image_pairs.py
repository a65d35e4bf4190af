"""Sampled pairs of pictures: one noise, shared self-attention, and CLIP's filter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from instructzoo.core import ZooError, api
from instructzoo.pix2pix import images, synth
from instructzoo.pix2pix.data.readers import instructpix2pix
from instructzoo.pix2pix.data.readers.base import Tally
from instructzoo.pix2pix.synthesis import image_pairs, prompt_to_prompt
from instructzoo.pix2pix.synthesis.dataset_writer import SampledPair
from instructzoo.pix2pix.synthesis.seed_triplets import Triplet

torch.set_num_threads(1)

LAKE = Triplet("a lake", "freeze it", "a frozen lake in winter")
STILL = Triplet("a lake", "nothing", "a lake")
CAPTIONS = ["a lake", "a cat on a mat", "two boats"]


@pytest.fixture(scope="module")
def diffusion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text-to-image pipeline of random weights: 8 x 8 pixels, one latent each."""
    from diffusers import AutoencoderKL, EulerAncestralDiscreteScheduler, UNet2DConditionModel
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    home = tmp_path_factory.mktemp("diffusion")
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    bpe.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["<|startoftext|>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(min_frequency=1, end_of_word_suffix="</w>", special_tokens=special)
    bpe.train_from_iterator([*LAKE, *CAPTIONS, "abcdefghijklmnopqrstuvwxyz"], trainer)
    saved = json.loads(bpe.to_str())["model"]
    tokenizer = CLIPTokenizer(vocab=saved["vocab"], merges=[tuple(merge) for merge in saved["merges"]])
    tokenizer.save_pretrained(home / "tokenizer")
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=24,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.5,
    )
    CLIPTextModel(text).save_pretrained(home / "text_encoder")
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32,),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    for name, weights in unet.named_parameters():
        if ".attn" in name:
            weights.data *= 4  # attention that can be seen in the pictures
    unet.save_pretrained(home / "unet")
    AutoencoderKL(block_out_channels=(32,), latent_channels=4, norm_num_groups=8).save_pretrained(home / "vae")
    EulerAncestralDiscreteScheduler(beta_schedule="scaled_linear").save_pretrained(home / "scheduler")
    return home


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, diffusion: Path) -> Path:
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    home = tmp_path_factory.mktemp("clip")
    tokenizer = CLIPTokenizer.from_pretrained(diffusion / "tokenizer")
    tokenizer.save_pretrained(home)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {
        **tower,
        "vocab_size": len(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        "max_position_embeddings": 24,
    }
    torch.manual_seed(0)
    vision = {**tower, "image_size": 8, "patch_size": 4}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)).save_pretrained(home)
    return home


@pytest.fixture(scope="module")
def model(diffusion: Path) -> image_pairs.StableDiffusion:
    return image_pairs.StableDiffusion.load(str(diffusion))


@pytest.fixture
def loaded(model: image_pairs.StableDiffusion, diffusion: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the pipeline, which is in memory already."""
    monkeypatch.setattr(image_pairs.StableDiffusion, "load", lambda text: model)
    return diffusion


def drawn(
    sharing: Sequence[float], seeds: Sequence[int] = range(9), guidance: float = 7.5
) -> list[image_pairs.PairDraw]:
    return [image_pairs.PairDraw(seed, share, guidance) for seed, share in zip(seeds, sharing, strict=False)]


def apart(a: Any, b: Any) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def test_attention_without_sharing_equals_that_of_diffusers(model: image_pairs.StableDiffusion) -> None:
    x, text = torch.randn(4, 4, 8, 8), torch.randn(4, 5, 32)
    with torch.no_grad():
        before = model.unet(x, 10, encoder_hidden_states=text).sample
        with prompt_to_prompt.shared_attention(model.unet) as sharing:
            sharing.pairs = torch.tensor([False])
            within = model.unet(x, 10, encoder_hidden_states=text).sample
            sharing.pairs = torch.tensor([True])
            turned = model.unet(x, 10, encoder_hidden_states=text).sample
        after = model.unet(x, 10, encoder_hidden_states=text).sample
    assert torch.allclose(before, within, atol=1e-5)
    assert torch.equal(before, after)
    assert torch.allclose(turned[0::2], before[0::2], atol=1e-5), "the first picture of a pair follows the second"
    assert not torch.allclose(turned[1::2], before[1::2], atol=1e-2)


def test_shared_attention_applies_the_maps_of_the_first_picture(model: image_pairs.StableDiffusion) -> None:
    """The maps, computed openly: where a pair shares, those of the first picture, applied to the second's values."""
    attn = next(m for name, m in model.unet.named_modules() if name.endswith("attn1"))
    x = torch.randn(8, 16, 32)  # twice (with and without text) two pairs
    pairs_shared = torch.tensor([True, False])
    with torch.no_grad():
        output = prompt_to_prompt.SharedSelfAttention(prompt_to_prompt.AttentionSharing(pairs_shared))(attn, x)
        query, key, value = (attn.head_to_batch_dim(part(x)) for part in (attn.to_q, attn.to_k, attn.to_v))
        maps = attn.get_attention_scores(query, key).view(8, attn.heads, 16, 16)
        for first in (0, 4):  # pair 0, without and with text
            maps[first + 1] = maps[first]
        mixed = attn.batch_to_head_dim(maps.flatten(0, 1) @ value)
        expected = attn.to_out[0](mixed)
    assert torch.allclose(output, expected, atol=1e-5)


def test_pairs_of_one_caption_are_equal(model: image_pairs.StableDiffusion) -> None:
    for pair in image_pairs.sample_pairs(model, STILL, drawn([0.0, 1.0]), 4, 8):
        assert apart(pair.before, pair.after) <= 1, "the two pictures got different noise"


def test_the_first_picture_does_not_depend_on_attention_sharing(model: image_pairs.StableDiffusion) -> None:
    alone, shared = (image_pairs.sample_pairs(model, LAKE, drawn([share], [7]), 4, 8)[0] for share in (0.0, 1.0))
    assert apart(alone.before, shared.before) <= 1
    assert apart(alone.after, shared.after) > 1
    assert apart(shared.before, shared.after) > 1, "the caption after changes nothing"


def test_attention_is_shared_for_the_drawn_fraction_of_steps(
    model: image_pairs.StableDiffusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[bool]] = []
    real = prompt_to_prompt.first_of_pairs

    def spy(states: Any, shared: Any) -> Any:
        seen.append(shared.tolist())
        return real(states, shared)

    monkeypatch.setattr(prompt_to_prompt, "first_of_pairs", spy)
    image_pairs.sample_pairs(model, LAKE, drawn([0.0, 0.5, 1.0]), 4, 8)
    layers = len(seen) // 4
    assert seen[::layers] == [[False, True, True]] * 2 + [[False, False, True]] * 2


def test_a_pair_does_not_depend_on_its_batch(model: image_pairs.StableDiffusion) -> None:
    together = image_pairs.sample_pairs(model, LAKE, drawn([0.2, 0.9, 0.5]), 4, 8)
    for draw, pair in zip(drawn([0.2, 0.9, 0.5]), together, strict=True):
        (alone,) = image_pairs.sample_pairs(model, LAKE, [draw], 4, 8)
        assert (pair.seed, pair.sharing, pair.guidance) == draw
        assert max(apart(alone.before, pair.before), apart(alone.after, pair.after)) <= 1
    assert apart(together[0].before, together[1].before) > 1, "all seeds give one noise"


def test_more_samples_keep_the_first_draws() -> None:
    ends: tuple[tuple[float, float], tuple[float, float]] = ((0.1, 0.9), (7.5, 15.0))
    ten = image_pairs.draw_pairs(0, 3, 10, *ends)
    assert image_pairs.draw_pairs(0, 3, 4, *ends) == ten[:4]
    assert image_pairs.draw_pairs(0, 4, 4, *ends) != ten[:4]
    assert len({draw.seed for draw in ten}) == 10
    assert all(0.1 <= draw.sharing <= 0.9 and 7.5 <= draw.guidance <= 15 for draw in ten)


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        ((0.2, 0.2, 0.2, 0.7), ""),
        ((0.2, 0.2, 0.2, 0.69), "the pictures differ too much"),
        ((0.19, 0.9, 0.9, 0.9), "a picture does not show its caption"),
        ((0.9, 0.19, 0.9, 0.9), "a picture does not show its caption"),
        ((0.9, 0.9, 0.19, 0.9), "the change does not follow the captions"),
    ],
)
def test_a_pair_below_a_threshold_is_rejected_with_its_reason(clip: tuple[float, ...], reason: str) -> None:
    pair = SampledPair(1, 0.5, 8.0, np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8), clip)
    kept, rejected = image_pairs.select_pairs([pair], image_pairs.Thresholds(0.7, 0.2, 0.2, 4))
    assert (len(kept), dict(rejected)) == ((0, {reason: 1}) if reason else (1, {}))


def test_the_best_pairs_are_those_with_the_highest_clip_direction() -> None:
    flat = np.zeros((8, 8, 3), np.uint8)
    pairs = [
        SampledPair(n, 0.5, 8.0, flat, flat, (0.3, 0.3, direction, 0.8)) for n, direction in enumerate((0.3, 0.5, 0.4))
    ]
    kept, rejected = image_pairs.select_pairs(pairs, image_pairs.Thresholds(0.7, 0.2, 0.2, 2))
    assert [pair.seed for pair in kept] == [1, 2]
    assert rejected == {"not among the best of their triplet": 1}


def test_a_folder_that_is_no_pipeline_is_an_error(tmp_path: Path, diffusion: Path) -> None:
    with pytest.raises(ZooError, match="no folder unet"):
        image_pairs.StableDiffusion.load(str(tmp_path))
    for part in image_pairs.COMPONENTS:
        (tmp_path / part).mkdir()
    with pytest.raises(ZooError, match="cannot load"):
        image_pairs.StableDiffusion.load(str(tmp_path))


class Teacher:
    """Freezes what it is shown; may fall over at one caption."""

    identity = "scripted"

    def __init__(self) -> None:
        self.num_prompts = 0

    def answer(self, prompts: Sequence[str]) -> list[str]:
        self.num_prompts += len(prompts)
        return [f"freeze it\n%%\n{prompt.splitlines()[-2]} frozen\nEND" for prompt in prompts]


def synthesise(folder: Path, diffusion: Path, *more: str, teacher: Teacher | None = None) -> dict[str, Any]:
    captions = folder.parent / "captions.txt"
    captions.write_text("\n".join(CAPTIONS))
    small = ["limit=3", f"captions={captions}", f"diffusion={diffusion}", "samples=3", "batch=2", "steps=3", "size=8"]
    return api.synth("pix2pix", str(folder), teacher or Teacher(), [*small, *more], quiet=True)


def content(folder: Path) -> dict[str, bytes]:
    kept = ("*/*.jpg", "*/*.json", "*/*.jsonl", "seeds.json", "triplets.jsonl")
    return {str(p.relative_to(folder)): p.read_bytes() for pattern in kept for p in sorted(folder.glob(pattern))}


def test_a_set_has_the_layout_of_the_released_one(tmp_path: Path, diffusion: Path, clip: Path) -> None:
    folder = tmp_path / "set"
    result = synthesise(folder, diffusion, f"clip={clip}", "images=-1", "caption=-1", "direction=-1", "keep=2")
    assert result["kept"] == {"captions": 3, "triplets": 3, "triplets with pairs": 3, "pairs": 6}
    assert result["rejected"] == {"pairs: not among the best of their triplet": 3}
    index = json.loads((folder / "seeds.json").read_text())
    assert [name for name, _ in index] == ["0000000", "0000001", "0000002"]
    for name, seeds in index:
        lines = [json.loads(line) for line in (folder / name / "metadata.jsonl").read_text().splitlines()]
        assert sorted(line["seed"] for line in lines) == [int(seed) for seed in seeds]
        assert list(lines[0]) == [
            "seed", "p2p_threshold", "cfg_scale", "clip_sim_0", "clip_sim_1", "clip_sim_dir", "clip_sim_image"
        ]  # fmt: skip
        assert images.read(str(folder / name / f"{seeds[0]}_1.jpg")).shape == (8, 8, 3)
    edits = list(instructpix2pix.read_examples(folder, Tally()))
    assert [len(edit.pairs) for edit in edits] == [2, 2, 2]
    assert json.loads((folder / "0000001" / "prompt.json").read_text())["input"] == CAPTIONS[1]


def test_a_set_without_clip_is_unfiltered_and_noted_as_such(tmp_path: Path, loaded: Path) -> None:
    result = synthesise(tmp_path / "set", loaded)
    assert (result["kept"]["pairs"], result["rejected"]) == (9, {})
    assert synth.UNFILTERED in result["notes"]
    line = json.loads((tmp_path / "set" / "0000000" / "metadata.jsonl").read_text().splitlines()[0])
    assert line["clip_sim_dir"] is None


def test_a_prompt_without_an_accepted_pair_is_not_sampled_again(
    tmp_path: Path, loaded: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = synthesise(tmp_path / "set", loaded, f"clip={clip}", "images=1")
    assert result["kept"]["pairs"] == 0
    assert result["rejected"] == {"pairs: the pictures differ too much": 9}
    monkeypatch.setattr(image_pairs, "sample_pairs", None)
    assert synthesise(tmp_path / "set", loaded, f"clip={clip}", "images=1")["rejected"] == result["rejected"]


def test_a_resumed_set_equals_an_uninterrupted_one(
    tmp_path: Path, loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole").mkdir()
    synthesise(tmp_path / "whole" / "set", loaded)
    real, calls = image_pairs.sample_pairs, []

    def dying(*arguments: Any) -> list[SampledPair]:
        calls.append(1)
        if len(calls) == 4:  # in the middle of the second triplet
            raise KeyboardInterrupt
        return real(*arguments)

    cut, teacher = tmp_path / "cut", Teacher()
    cut.mkdir()
    monkeypatch.setattr(image_pairs, "sample_pairs", dying)
    with pytest.raises(KeyboardInterrupt):
        synthesise(cut / "set", loaded, teacher=teacher)
    assert [p.name for p in sorted((cut / "set").glob("0*"))] == ["0000000"]
    result = synthesise(cut / "set", loaded, teacher=teacher)
    assert teacher.num_prompts == 3
    assert (result["asked"], result["found"]) == (0, 3)
    assert content(cut / "set") == content(tmp_path / "whole" / "set")


def test_partitions_together_equal_the_whole_set(tmp_path: Path, loaded: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    synthesise(tmp_path / "whole" / "set", loaded)
    teacher, folder = Teacher(), tmp_path / "parts" / "set"
    for part in ("0/2", "1/2"):
        synthesise(folder, loaded, f"partition={part}", teacher=teacher)
    synthesise(folder, loaded, teacher=teacher)
    assert teacher.num_prompts == 3
    assert content(folder) == content(tmp_path / "whole" / "set")


@pytest.mark.parametrize(("setting", "message"), [("steps=4", "steps=4"), ("seed=1", "seed=1")])
def test_resuming_a_set_with_other_settings_is_an_error(
    tmp_path: Path, loaded: Path, setting: str, message: str
) -> None:
    synthesise(tmp_path / "set", loaded)
    with pytest.raises(ZooError, match=message):
        synthesise(tmp_path / "set", loaded, setting)


def test_resuming_a_set_with_other_triplets_is_an_error(tmp_path: Path, loaded: Path) -> None:
    class Other(Teacher):
        identity = "another"

        def answer(self, prompts: Sequence[str]) -> list[str]:
            return [f"burn it\n%%\n{prompt.splitlines()[-2]} on fire" for prompt in prompts]

    synthesise(tmp_path / "set", loaded)
    with pytest.raises(ZooError, match=r"another triplet .freeze it.; expected those of: burn it"):
        synthesise(tmp_path / "set", loaded, teacher=Other())


def test_captions_too_long_for_the_text_encoder_are_rejected(tmp_path: Path, loaded: Path) -> None:
    class Long(Teacher):
        def answer(self, prompts: Sequence[str]) -> list[str]:
            return [f"freeze it\n%%\n{'a lake ' * 15}" for _ in prompts]

    result = synthesise(tmp_path / "set", loaded, teacher=Long())
    assert result["rejected"] == {f"pairs: {image_pairs.TOO_LONG}": 9}


def test_a_size_that_does_not_fit_the_latents_is_an_error(
    tmp_path: Path, loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_pairs.StableDiffusion, "scale", 8)
    with pytest.raises(ZooError, match="size: size 12; expected a multiple of 8"):
        synthesise(tmp_path / "set", loaded, "size=12")
