"""Speed of training an editor, and of its guidance, as ratios in one alternating run.

    python -m tests.benchmarks.edit_speed [--rounds 3] [--steps 12] [--batch 8] [--threads 1]

One small Stable Diffusion of random weights (UNet2DConditionModel 64-128, AutoencoderKL 32-64-64-64, a CLIPTextModel of
two layers, 77 tokens) learns rows of the microworld, pictures of 64x64 pixels as latents of 8x8. Three tables:

    training    images per second of this loop (core's `fit` with its defaults) and of a plain step, and peak memory
    options     this loop without its cache of pictures, and with the text encoder trained too
    guidance    pictures per second of `sampling.denoise`, whose three predictions are one batch, and of three forwards

The plain step does what diffusers' example script for InstructPix2Pix does each time: it encodes both pictures and the
captions, encodes the empty caption anew, drops conditions by one draw for each row, and steps AdamW as torch has it,
with accelerate around. It is handed pixels and ids that lie ready in memory, which its script makes in every step.

Contestants of training run in a process of their own each; the first two steps are not counted. Seconds are those of
the clock and of the processor (the fairer ones where other work shares the machine). A cache costs time once: ratios
are given with its filling spread over one epoch and over ten as well. Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CONTESTANTS = ("zoo", "plain", "zoo uncached", "zoo with text")
TOGETHER, APART = "together", "apart"
SIDE, TOKENS, WARM, DROP, RATE = 64, 77, 2, 0.05, 1e-4
SECONDS = {"clock": time.perf_counter, "processor": time.process_time}
Seconds = dict[str, float]


def main() -> None:
    options = arguments()
    if options.contestant:
        print(json.dumps(work(options)))
        return
    rounds_by_name: dict[str, list[Any]] = {name: [] for name in (*CONTESTANTS, "guidance")}
    with tempfile.TemporaryDirectory() as home:
        backbone(Path(home))
        for turn in range(options.rounds):
            for name in list(rounds_by_name)[:: -1 if turn % 2 else 1]:
                rounds_by_name[name].append(measure(name, options, home))
                print(f"round {turn + 1} {name}: {rounds_by_name[name][-1]}", file=sys.stderr)
    print(json.dumps(summary(rounds_by_name, options)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12, help="updates of a training; denoising steps of a picture")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--contestant", choices=(*CONTESTANTS, "guidance"), help=argparse.SUPPRESS)
    parser.add_argument("--home", help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(name: str, options: argparse.Namespace, home: str) -> Any:
    command = [sys.executable, "-m", "tests.benchmarks.edit_speed", *sys.argv[1:], "--contestant", name, "--home", home]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def summary(rounds_by_name: dict[str, list[Any]], options: argparse.Namespace) -> dict[str, Any]:
    """Medians over the rounds, and ratios."""
    middle = {name: medians(rounds_by_name[name]) for name in CONTESTANTS}
    zoo, plain = middle["zoo"], middle["plain"]
    training = {"zoo to plain": ratio(zoo, plain), "peak memory": round(zoo["peak_mb"] / plain["peak_mb"], 2)}
    for epochs in (1, 10):
        spread = {unit: 1 / (1 / zoo[unit] + zoo[f"filling {unit}"] / epochs) for unit in SECONDS}
        training[f"zoo to plain, filling over {epochs} epochs"] = ratio(spread, plain)
    guidance = {}
    for batch in rounds_by_name["guidance"][0]:
        rate = medians([figures[batch] for figures in rounds_by_name["guidance"]])
        together, apart = ({unit: rate[f"{way} {unit}"] for unit in SECONDS} for way in (TOGETHER, APART))
        guidance[f"one batch to three forwards, pictures: {batch}"] = ratio(together, apart)
    return {
        **{name: value for name, value in vars(options).items() if name not in ("contestant", "home")},
        "images_per_second": middle,
        "training": training,
        "options": {f"zoo to {name}": ratio(zoo, middle[name]) for name in CONTESTANTS if name.startswith("zoo ")},
        "guidance": guidance,
    }


def ratio(numerator: Seconds, denominator: Seconds) -> Seconds:
    return {unit: round(numerator[unit] / denominator[unit], 2) for unit in SECONDS}


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(figures[key] for figures in rounds), 3) for key in rounds[0]}


def backbone(home: Path) -> None:
    """A text-to-image model of random weights in diffusers' layout."""
    import torch
    from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    from instructzoo.core import recipe
    from instructzoo.pix2pix import model

    settings = recipe.Model(backbone="made", vocabulary=512, max_tokens=TOKENS)
    tokenizer = model.train_tokenizer((row["instruction"] for row in rows(200)), settings)
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=TOKENS, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=SIDE // 8, block_out_channels=(64, 128), layers_per_block=2, cross_attention_dim=128,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=4,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(32, 64, 64, 64), latent_channels=4, layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    StableDiffusionPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), tokenizer=tokenizer, unet=unet,
        scheduler=DDPMScheduler(beta_schedule="scaled_linear", clip_sample=False, steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(str(home / "model"))  # fmt: skip


def rows(number: int) -> list[Any]:
    from instructzoo.pix2pix import world

    return list(world.generate(number, 0, "train", world.Settings(size=SIDE)))


def work(options: argparse.Namespace) -> dict[str, Any]:
    """What a contestant measures."""
    import torch

    torch.set_num_threads(options.threads)
    if options.contestant == "guidance":
        return {str(batch): guided(options, batch) for batch in (1, options.batch)}
    speeds = plain(options) if options.contestant == "plain" else zoo(options)
    return speeds | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def plan(options: argparse.Namespace, steps: int) -> Any:
    """This loop's recipe: its defaults, and what all contestants share."""
    from instructzoo.core.recipe import Recipe

    model_options = {"resolution": SIDE, "train_text": options.contestant == "zoo with text"}
    return Recipe.model_validate(
        {
            "domain": "pix2pix",
            "model": {"backbone": str(Path(options.home) / "model"), "max_tokens": TOKENS, "options": model_options},
            "objective": {"cache": options.contestant != "zoo uncached"},
            "train": {"steps": steps, "batch": options.batch, "lr": RATE, "schedule": "constant", "warmup": 0},
        }
    )


def timed(job: Callable[..., Any], *arguments: Any) -> Seconds:
    began = {unit: clock() for unit, clock in SECONDS.items()}
    job(*arguments)
    return {unit: clock() - began[unit] for unit, clock in SECONDS.items()}


def zoo(options: argparse.Namespace) -> dict[str, float]:
    """Images per second of `fit`, and seconds for each row to be made ready (with the cache, to be encoded)."""
    from instructzoo.core import domain, runs, tune
    from instructzoo.core.data import BuiltData
    from instructzoo.pix2pix import model, objective

    data = rows(options.batch * 4)
    settings = plan(options, options.steps)
    built = BuiltData({"train": data}, {}, "made", Path())  # type: ignore[arg-type]
    ready = objective.EditingTask(settings, domain.get("pix2pix"), built, model.load(settings, lambda: data))
    encoded: list[Any] = []
    filling = timed(lambda: encoded.extend(ready.encode(data)))
    tuned = ready.trainable_model()
    costs, objective_of_model = ready.lengths(encoded), ready.objective(tuned)

    def train(settings: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            splits = tune.EncodedSplits(encoded, [], costs.total, [])
            tune.fit(settings, runs.Run(Path(folder)), tuned, objective_of_model, splits, quiet=True)

    train(plan(options, WARM))
    took = timed(train, settings)
    speed = {unit: options.steps * options.batch / seconds for unit, seconds in took.items()}
    return speed | {f"filling {unit}": seconds / len(data) for unit, seconds in filling.items()}


def plain(options: argparse.Namespace) -> dict[str, float]:
    """Images per second of the plain step, and the share of its time that encoding takes."""
    import torch
    from accelerate import Accelerator
    from diffusers.optimization import get_scheduler

    from instructzoo.pix2pix.networks import editor
    from instructzoo.pix2pix.objective import encode_moments

    network, tokenizer = editor.open_folder(Path(options.home) / "model")
    network.requires_grad_(False)
    unet = editor.widen_input(network.unet).requires_grad_(True).train()
    accelerator = Accelerator(cpu=True)
    optimizer = torch.optim.AdamW(unet.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = get_scheduler("constant", optimizer)
    unet, optimizer, schedule = accelerator.prepare(unet, optimizer, schedule)
    batches = ready_batches(tokenizer, options.batch)
    (empty,) = editor.tokenize(tokenizer, [""], TOKENS)

    def train(steps: int) -> None:
        for step in range(steps):
            with accelerator.accumulate(unet):
                loss = plain_loss(network, unet, batches[step % len(batches)], empty)
                accelerator.backward(loss)
                accelerator.clip_grad_norm_(unet.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            loss.item()

    def encode(steps: int) -> None:
        for step in range(steps):
            before, after, ids = batches[step % len(batches)]
            encode_moments(network, before), encode_moments(network, after)
            with torch.no_grad():
                network.encode_text(ids), network.encode_text(empty[None])

    train(WARM)
    took, encoding = timed(train, options.steps), timed(encode, options.steps)
    speed = {unit: options.steps * options.batch / seconds for unit, seconds in took.items()}
    return speed | {f"encoding {unit}": encoding[unit] / seconds for unit, seconds in took.items()}


def plain_loss(network: Any, unet: Any, batch: tuple[Any, Any, Any], empty: Any) -> Any:
    """The mean squared error of the noise, all of it made from pixels and ids."""
    import torch
    from torch.nn.functional import mse_loss

    before, after, ids = batch
    target = network.vae.encode(after).latent_dist.sample() * network.scale
    noise = torch.randn_like(target)
    time = torch.randint(0, network.schedule.config.num_train_timesteps, (len(target),))
    noised = network.schedule.add_noise(target, noise, time)
    words, shown = network.encode_text(ids), network.vae.encode(before).latent_dist.mode()
    drawn = torch.rand(len(target))
    words = torch.where((drawn < 2 * DROP)[:, None, None], network.encode_text(empty[None]), words)
    kept = ((drawn < DROP) | (drawn >= 3 * DROP)).to(shown.dtype)
    prediction = unet(torch.cat([noised, kept[:, None, None, None] * shown], 1), time, words).sample
    return mse_loss(prediction.float(), noise)


def ready_batches(tokenizer: Any, size: int) -> list[tuple[Any, Any, Any]]:
    """Pictures before and after, and ids, of the rows that all contestants learn."""
    from instructzoo.pix2pix import images
    from instructzoo.pix2pix.networks.editor import tokenize
    from instructzoo.pix2pix.networks.patch_autoencoder import to_tensor

    data = rows(4 * size)
    ids = tokenize(tokenizer, [row["instruction"] for row in data], TOKENS).split(size)
    before, after = (to_tensor(images.read(row[side]) for row in data).split(size) for side in ("image", "edited"))
    return list(zip(before, after, ids, strict=True))


class Apart:
    """A UNet that makes the three predictions of a guided step in a forward each."""

    def __init__(self, unet: Any) -> None:
        self.unet, self.dtype = unet, unet.dtype

    def __call__(self, noised: Any, time: Any, words: Any) -> Any:
        import torch

        predictions = [self.unet(n, time, w).sample for n, w in zip(noised.chunk(3), words.chunk(3), strict=True)]
        return SimpleNamespace(sample=torch.cat(predictions))


def guided(options: argparse.Namespace, size: int) -> dict[str, float]:
    """Pictures per second of both ways to guide, which must give the same pictures."""
    import torch

    from instructzoo.pix2pix import sampling
    from instructzoo.pix2pix.networks import editor

    network, tokenizer = editor.open_folder(Path(options.home) / "model")
    editor.widen_input(network.unet)
    network.eval().requires_grad_(False)
    before, _, ids = ready_batches(tokenizer, size)[0]
    (empty,) = editor.tokenize(tokenizer, [""], TOKENS)
    settings = sampling.Settings(steps=options.steps, scheduler="ddim", guidance=3.0)
    parts = {name: getattr(network, name) for name in ("vae", "words", "schedule", "scale")}
    models = {TOGETHER: network, APART: SimpleNamespace(unet=Apart(network.unet), **parts)}

    def denoise(way: str) -> Any:
        return sampling.denoise(models[way], before, ids, empty, settings, list(range(size)))

    # First calls set up what later ones find.
    torch.testing.assert_close(denoise(TOGETHER), denoise(APART), rtol=1e-3, atol=1e-3)
    seconds = {way: timed(denoise, way) for way in models}
    return {f"{way} {unit}": size / value for way, took in seconds.items() for unit, value in took.items()}


if __name__ == "__main__":
    main()
