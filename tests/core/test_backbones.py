"""Pretrained backbones of others: complete, causal, with ids and positions for what they read, decoding as trained."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from kit import LLAMA, LORA, T5, Kit, Prompts, kit, mean_loss, recipe, started, sums, wild
from safetensors.torch import load_file, save_file
from torch import Tensor

from instructzoo.core import models, tune
from instructzoo.core.commands.training_task import TextTask
from instructzoo.core.errors import ZooError
from instructzoo.core.infer import choose, generate
from instructzoo.core.infer.generate import generate_ids
from instructzoo.core.infer.token_spellings import TokenSpellings
from instructzoo.core.models import ModelBundle, adapters, backbone_checks, convert
from instructzoo.core.recipe import Decode, Recipe
from instructzoo.core.text import Encoder

Tensors = dict[str, Tensor]
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
BART = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return kit(recipe()).bundle.tokenizer


def saved(config_class: str, tokenizer: Any, folder: Path, **settings: Any) -> Path:
    """Save a newly drawn model of a family with the tokenizer; return its folder."""
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1, "vocab_size": len(tokenizer)}
    config = getattr(transformers, f"{config_class}Config")(**(ids | settings))
    auto = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
    torch.manual_seed(0)
    model = auto.from_config(config)
    model.requires_grad_(True)
    wild(model, 0.3)
    models.save_plain(model, tokenizer, folder)
    return folder


def change_tensors(folder: Path, change: Callable[[Tensors], Tensors]) -> Path:
    """Rewrite the safetensors of a folder."""
    (file,) = folder.glob("*.safetensors")
    save_file({name: tensor.contiguous() for name, tensor in change(load_file(file)).items()}, file, {"format": "pt"})
    return folder


def change_json(file: Path, **values: Any) -> None:
    content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    file.write_text(json.dumps(content | values), encoding="utf-8")


def opened(folder: Path, **model: Any) -> ModelBundle:
    return models.load(recipe(str(folder), model=model, method=LORA).model, 0, list)


def trained(folder: Path, run: Path) -> Kit:
    """Fine-tune a backbone by two updates in a run directory, and save it into model/ there."""
    settings = recipe(str(folder), train={"steps": 2})
    setup = kit(settings)
    setup.fit(started(settings, run))
    models.save(setup.model, setup.bundle.tokenizer, settings, run / "model")
    return setup


LOSSES: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "a prefix of torch.nn.DataParallel": (lambda t: {f"module.{n}": v for n, v in t.items()}, "module.model.layers"),
    "a prefix of torch.compile": (lambda t: {f"_orig_mod.{n}": v for n, v in t.items()}, "_orig_mod.model.layers"),
    "one tensor lost": (lambda t: {n: v for n, v in t.items() if "0.mlp.up_proj" not in n}, "0.mlp.up_proj.weight"),
    "one of another shape": (
        lambda t: t | {"model.norm.weight": torch.ones(31)},
        r"another shape model.norm.weight \[31\], not \[32\]",
    ),
    "one too many": (lambda t: t | {"score.weight": torch.ones(2, 32)}, "besides score.weight"),
}


@pytest.mark.parametrize("fault", LOSSES)
def test_weights_that_are_not_exactly_the_models_are_named(fault: str, tokenizer: Any, tmp_path: Path) -> None:
    change, name = LOSSES[fault]
    folder = change_tensors(saved("Llama", tokenizer, tmp_path, **SMALL), change)
    with pytest.raises(ZooError, match=f"of the weights of LlamaForCausalLM, its files .*{name}"):
        opened(folder)
    with pytest.raises(ZooError, match=name):
        models.open_plain(folder, recipe().model)


def test_a_model_saved_without_its_head_is_an_error_unless_the_head_is_tied(tokenizer: Any, tmp_path: Path) -> None:
    def headless(tensors: Tensors) -> Tensors:
        return {name: value for name, value in tensors.items() if name != "lm_head.weight"}

    folder = change_tensors(saved("Llama", tokenizer, tmp_path / "untied", **SMALL), headless)
    with pytest.raises(ZooError, match=r"lack lm_head\.weight; .*drawn at random"):
        opened(folder)
    tied = change_tensors(saved("Llama", tokenizer, tmp_path / "tied", **SMALL, tie_word_embeddings=True), headless)
    assert opened(tied).kind == "causal"


def test_tensors_that_no_model_reads_are_no_fault(tokenizer: Any, tmp_path: Path) -> None:
    unused = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8), "model.position_ids": torch.arange(4)}
    folder = change_tensors(saved("Llama", tokenizer, tmp_path / "llama", **SMALL), lambda t: t | unused)
    assert opened(folder).kind == "causal"
    masks = {"transformer.h.0.attn.bias": torch.ones(4), "transformer.h.0.attn.masked_bias": torch.ones(1)}
    gptj = saved("GPTJ", tokenizer, tmp_path / "gptj", n_embd=32, n_layer=1, n_head=2, rotary_dim=4)
    assert opened(change_tensors(gptj, lambda t: t | masks)).kind == "causal"


def test_tables_of_sines_that_files_leave_out_are_computed(tokenizer: Any, tmp_path: Path) -> None:
    folder = saved("Pegasus", tokenizer, tmp_path, **BART, decoder_start_token_id=0, max_position_embeddings=32)
    model = transformers.AutoModelForSeq2SeqLM.from_config(transformers.AutoConfig.from_pretrained(folder))
    before = model.get_encoder().embed_positions.weight
    again = opened(change_tensors(folder, lambda t: {n: v for n, v in t.items() if "embed_positions" not in n}))
    assert torch.equal(again.model.get_encoder().embed_positions.weight, before)


MALFORMED: dict[str, tuple[str, dict[str, Any] | list[int]]] = {
    "a width that is no number": ("config.json", {"hidden_size": "wide"}),
    "heads that do not divide the width": ("config.json", {"num_attention_heads": 3}),
    "an activation that does not exist": ("config.json", {"hidden_act": "none"}),
    "another kind of model": ("config.json", {"model_type": "vit"}),
    "code of its own": ("config.json", {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}),
    "a tokenizer's settings as a list": ("tokenizer_config.json", [1]),
    "a tokenizer of another form": ("tokenizer.json", {"model": {"type": "none"}}),
    "an index without a map": ("model.safetensors.index.json", {}),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_malformed_files_of_a_backbone_are_one_line(fault: str, tokenizer: Any, tmp_path: Path) -> None:
    name, values = MALFORMED[fault]
    folder = saved("Llama", tokenizer, tmp_path, **SMALL)
    if isinstance(values, dict) and (folder / name).is_file():
        change_json(folder / name, **values)
    else:
        (folder / name).write_text(json.dumps(values), encoding="utf-8")
    if "index" in name:
        (folder / "model.safetensors").unlink()
    with pytest.raises(ZooError, match="cannot load"):
        opened(folder)


def test_a_lost_shard_expert_or_pickled_file_is_one_line(tokenizer: Any, tmp_path: Path) -> None:
    folder = saved("Llama", tokenizer, tmp_path / "sharded", **SMALL)
    model = opened(folder).model
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="30KB")
    sorted(folder.glob("model-*.safetensors"))[-1].unlink()
    with pytest.raises(ZooError, match=r"cannot load .*model-0.*all its weights in safetensors"):
        opened(folder)
    for file in folder.glob("*.safetensors*"):
        file.unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ZooError, match=r"cannot load .*pickled weights are not opened"):
        opened(folder)
    experts = SMALL | {"num_local_experts": 2, "num_key_value_heads": 2}
    folder = saved("Mixtral", tokenizer, tmp_path / "experts", **experts)
    lost = re.compile(r"experts\.1\.w1\.")
    with pytest.raises(ZooError, match=r"cannot load .*(missing|lack)"):
        opened(change_tensors(folder, lambda t: {n: v for n, v in t.items() if not lost.search(n)}))


def test_weights_that_a_quantised_base_or_a_gguf_file_lacks_are_named(tokenizer: Any, tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    pytest.importorskip("bitsandbytes")
    folder = saved("Llama", tokenizer, tmp_path, **SMALL | {"hidden_size": 64})
    assert adapters.is_quantised(opened(folder, quantisation="nf4").model)
    change_tensors(folder, lambda t: {n: v for n, v in t.items() if "0.mlp.up_proj" not in n})
    with pytest.raises(ZooError, match=r"its files lack model\.layers\.0\.mlp\.up_proj\.weight"):
        opened(folder, quantisation="nf4")

    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(64)
    writer.add_head_count(2)
    writer.add_vocab_size(40)
    for name in ("token_embd", "output"):
        writer.add_tensor(f"{name}.weight", torch.ones(40, 32).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ZooError, match=r"model\.gguf: .* its files lack model\.layers\.0\..* and 7 more"):
        convert.from_gguf(tmp_path / "model.gguf", tmp_path)


@pytest.mark.parametrize(
    ("method", "fault"),
    [("lora", "lost"), ("lora", "rank"), ("lora", "more"), ("prompt", "lost"), ("prompt", "rank"), ("norms", "rank")],
)
def test_an_adapter_that_is_not_exactly_the_methods_is_named(method: str, fault: str, tmp_path: Path) -> None:
    setup = kit(recipe(method=LORA if method == "lora" else {"name": method, "tokens": 4}))
    models.save(setup.model, setup.bundle.tokenizer, setup.recipe, tmp_path)

    def change(tensors: Tensors) -> Tensors:
        first = sorted(tensors)[0]
        if fault == "lost":
            return {name: value for name, value in tensors.items() if name != first} | {"other": torch.ones(1)}
        return tensors | ({first: tensors[first][:-1]} if fault == "rank" else {"extra": torch.ones(1)})

    with pytest.raises(ZooError, match=r"^cannot load \S+: of the weights of .*, its files (lack|hold)"):
        change_tensors(tmp_path, change)
        models.open_saved(tmp_path)


def test_an_adapter_alone_is_no_backbone(tokenizer: Any, tmp_path: Path) -> None:
    change_json(tmp_path / "adapter_config.json", peft_type="LORA")
    with pytest.raises(ZooError, match=r"model\.backbone: .* holds an adapter; expected a whole model"):
        opened(tmp_path)


def test_an_encoder_is_not_accepted_as_a_causal_model(tokenizer: Any, tmp_path: Path) -> None:
    for family in ("Bert", "Roberta", "Electra"):
        folder = saved(family, tokenizer, tmp_path / family, **SMALL, max_position_embeddings=140)
        with pytest.raises(ZooError, match=rf"{family}\w+\) reads the tokens that follow: it is an encoder"):
            opened(folder)
    decoder = saved("Bert", tokenizer, tmp_path / "decoder", **SMALL, is_decoder=True)
    assert opened(decoder).kind == "causal"
    with pytest.raises(ZooError, match="all-minilm-l6-v2 is a model of kind encoder"):
        models.load(recipe("all-minilm-l6-v2").model, 0, list)


def test_an_encoder_decoder_begins_answers_as_it_was_trained(tokenizer: Any, tmp_path: Path) -> None:
    """The labels of a family whose own function for the decoder's input is missing, or begins with another token."""
    for family in ("M2M100", "BlenderbotSmall", "MBart"):
        folder = saved(family, tokenizer, tmp_path / family, **BART, decoder_start_token_id=5)
        setup = trained(folder, tmp_path / f"{family}-run")
        again = models.open_saved(tmp_path / f"{family}-run" / "model")
        loss, count = setup.objective.loss(again.model, setup.objective.collate(setup.splits.train))
        assert float(loss) / int(count) == pytest.approx(mean_loss(setup), rel=1e-5)
        assert again.model.generation_config.decoder_start_token_id == 5
        assert choose(again, [3, 4, 1], ["1", "2"]) in (0, 1)
    labels = torch.tensor([[7, 8, 1], [9, 1, -100]])
    assert tune.objectives.shift_right(labels, 5, 0).tolist() == [[5, 7, 8], [5, 9, 1]]


def test_an_encoder_decoder_without_a_start_token_is_one_line(tokenizer: Any, tmp_path: Path) -> None:
    t5 = {"d_model": 32, "d_ff": 64, "d_kv": 16, "num_layers": 1, "num_heads": 2, "bos_token_id": None}
    folder = saved("T5", tokenizer, tmp_path, **t5)
    with pytest.raises(ZooError, match=r"has no decoder_start_token_id; .*T5 and its kin take pad_token_id"):
        opened(folder)


GENERATION = {
    "forced_bos_token_id": 3,
    "suppress_tokens": [4, 5, 6],
    "no_repeat_ngram_size": 1,
    "encoder_no_repeat_ngram_size": 1,
    "repetition_penalty": 3.0,
    "bad_words_ids": [[7]],
    "min_length": 5,
    "temperature": 0.3,
    "top_p": 0.5,
    "num_beams": 2,
    "max_length": 4,
}


@pytest.mark.parametrize("family", ["Bart", "Bloom", "GPT2"])
def test_a_backbones_own_decoding_settings_bend_no_answer(family: str, tokenizer: Any, tmp_path: Path) -> None:
    sizes = BART | {"decoder_start_token_id": 1} if family == "Bart" else {"n_layer": 1, "n_head": 2}
    plain = saved(family, tokenizer, tmp_path / "plain", **sizes, **({} if family == "Bart" else {"hidden_size": 32}))
    prompts = [[4, 5, 6, 7, 1], [20, 21, 22]]
    decode = Decode(max_new_tokens=8)
    answers = generate_ids(opened(plain), prompts, decode)
    change_json(plain / "generation_config.json", **GENERATION)
    assert generate_ids(opened(plain), prompts, decode) == answers
    assert generate_ids(models.open_plain(plain, recipe().model), prompts, decode) == answers
    trained(plain, tmp_path / "run")  # it can be saved: transformers refuses some of these settings
    assert models.open_saved(tmp_path / "run" / "model").kind == opened(plain).kind


def test_padding_beyond_the_embedding_table_is_replaced(tmp_path: Path) -> None:
    bundle = kit(recipe()).bundle
    bundle.tokenizer.pad_token = None
    bundle.tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    models.save_plain(bundle.model, bundle.tokenizer, tmp_path)
    assert bundle.tokenizer.pad_token_id >= backbone_checks.embedding_rows(bundle.model)
    again = opened(tmp_path)
    assert again.tokenizer.pad_token_id == again.tokenizer.eos_token_id
    setup = trained(tmp_path, tmp_path / "run")
    assert mean_loss(setup) > 0


def text_task(settings: Recipe, bundle: ModelBundle, encoder: Encoder, code: Path) -> TextTask:
    """A task whose domain is the code in a folder, and nothing else."""
    domain: Any = SimpleNamespace(folder=lambda: code)
    built: Any = None
    return TextTask(settings, domain, built, bundle, encoder)


def test_a_target_longer_than_the_positions_of_the_decoder_is_refused(tokenizer: Any, tmp_path: Path) -> None:
    positions = {"max_encoder_position_embeddings": 128, "max_decoder_position_embeddings": 8, "attention_window": 8}
    bundle = opened(saved("LED", tokenizer, tmp_path, **BART, **positions, decoder_start_token_id=1))
    encoder = Encoder(bundle.tokenizer, Prompts, bundle.kind, 128)
    task = text_task(recipe(str(tmp_path), decode={"max_new_tokens": 8}), bundle, encoder, tmp_path)
    rows = sums(3)
    assert len(task.encode(rows)) == 3
    assert task.objective(task.trainable_model())  # 128 tokens may be read, though only 8 may be written
    with pytest.raises(ZooError, match=r"target takes 11 tokens, and the decoder has 8 positions \(max_decoder_pos"):
        task.encode([*rows, rows[0] | {"output": "1111111111"}])


def test_a_token_without_an_embedding_is_named_before_training(tmp_path: Path) -> None:
    bundle = kit(recipe()).bundle
    bundle.tokenizer.add_tokens(["please"])
    models.save_plain(bundle.model, bundle.tokenizer, tmp_path)
    again = opened(tmp_path)
    encoder = Encoder(again.tokenizer, Prompts, again.kind, 128)
    settings = recipe(str(tmp_path))
    task = text_task(settings, again, encoder, tmp_path)
    polite = [row | {"instruction": "please add"} for row in sums(3)]
    with pytest.raises(ZooError, match=r"gives id \d+ \(please\), and the model's embedding table has \d+ rows"):
        task.encode(polite)
    plain_rows = [row | {"instruction": "add"} for row in sums(3)]
    assert len(task.encode(plain_rows)) == 3  # tokens that no row uses are no fault
    assert task.objective(task.trainable_model())
    with pytest.raises(ZooError, match="embedding table"):
        generate(again, [encoder.prompt(polite[0])], Decode(max_new_tokens=2))


def test_a_vocabulary_with_gaps_has_spellings(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    file = tmp_path / "tokenizer.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["added_tokens"].append(
        content["added_tokens"][0] | {"id": len(tokenizer) + 5, "content": "<far>", "special": False}
    )
    file.write_text(json.dumps(content), encoding="utf-8")
    again = transformers.AutoTokenizer.from_pretrained(tmp_path)
    spellings = TokenSpellings.from_tokenizer(again)
    assert spellings.spelling(max(again.get_vocab().values()), at_start=False) == b"<far>"


POSITIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    "gpt2": ("GPT2", {"n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 64}, "64 positions (n_positions)"),
    "opt": (
        "OPT",
        SMALL | {"ffn_dim": 64, "word_embed_proj_dim": 32, "max_position_embeddings": 64},
        "64 positions (max_position_embeddings)",
    ),
    "gptj": (
        "GPTJ",
        {"n_embd": 32, "n_layer": 1, "n_head": 2, "rotary_dim": 4, "n_positions": 64},
        "64 positions (n_positions)",
    ),
    "roberta": (
        "Roberta",
        SMALL | {"is_decoder": True, "max_position_embeddings": 65},
        "64 positions (max_position_embeddings)",
    ),
    "mpt": ("Mpt", {"d_model": 32, "n_layers": 1, "n_heads": 2, "max_seq_len": 64}, "64 positions (max_seq_len)"),
    "bart": ("Bart", BART | {"max_position_embeddings": 64}, "64 positions (max_position_embeddings)"),
    "marian": (
        "Marian",
        BART | {"max_position_embeddings": 64, "decoder_start_token_id": 0},
        "64 positions (max_position_embeddings)",
    ),
}


@pytest.mark.parametrize("name", POSITIONS)
def test_rows_and_answers_longer_than_the_positions_are_refused_before_training(
    name: str, tokenizer: Any, tmp_path: Path
) -> None:
    family, sizes, limit = POSITIONS[name]
    bundle = opened(saved(family, tokenizer, tmp_path, **sizes))
    for model, decode, setting in (
        ({"max_tokens": 65}, {"max_new_tokens": 8}, "model.max_tokens = 65"),
        ({"max_tokens": 64}, {"max_new_tokens": 65}, "decode.max_new_tokens = 65"),
    ):
        settings = recipe(str(tmp_path), model=model, decode=decode)
        with pytest.raises(ZooError, match=re.escape(setting) + ".*" + re.escape(limit)):
            backbone_checks.check_positions(bundle.model, bundle.kind, settings)
    fitting = recipe(str(tmp_path), model={"max_tokens": 64}, decode={"max_new_tokens": 8})
    backbone_checks.check_positions(bundle.model, bundle.kind, fitting)
    longest = backbone_checks.longest_prompt(bundle.model, bundle.kind, 8)
    assert longest == (64 if bundle.kind == "seq2seq" else 57)
    wordy = Decode(max_new_tokens=8)
    assert generate_ids(bundle, [[4] * longest], wordy, stop=2)  # all positions are used, and none beyond
    with pytest.raises(ZooError, match=rf"a prompt of {longest + 1} tokens"):
        generate_ids(bundle, [[4] * (longest + 1)], wordy)


@pytest.mark.parametrize("backbone", [LLAMA, T5])
def test_rotary_and_relative_positions_have_no_limit(backbone: str) -> None:
    setup = kit(recipe(backbone))
    assert backbone_checks.position_limit(setup.model) is None
    backbone_checks.check_positions(setup.model, setup.bundle.kind, recipe(backbone, model={"max_tokens": 100_000}))


def test_virtual_tokens_take_positions_of_their_own(tokenizer: Any, tmp_path: Path) -> None:
    _, sizes, _ = POSITIONS["gpt2"]
    bundle = opened(saved("GPT2", tokenizer, tmp_path, **sizes))
    tuned = adapters.apply(bundle.model, recipe(method={"name": "prompt", "tokens": 4}).method)
    limit = backbone_checks.position_limit(tuned)
    assert limit is not None and limit.tokens == 60


@pytest.fixture(params=[LLAMA, T5])
def without_numbers(request: pytest.FixtureRequest) -> Iterator[ModelBundle]:
    """A model whose output layer has become NaN for every token, as float16 does where it overflows."""
    setup = kit(recipe(request.param))
    with torch.no_grad():
        next(p for p in setup.model.parameters() if p.ndim == 1).fill_(float("nan"))
    yield ModelBundle(setup.model.eval(), setup.bundle.tokenizer, setup.bundle.kind)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_answer_that_was_not_computed_from_numbers_is_an_error(
    without_numbers: ModelBundle, temperature: float
) -> None:
    decode = Decode(max_new_tokens=3, temperature=temperature)
    with pytest.raises(ZooError, match=r"computes logits that are not numbers .*float32; .*model\.weights"):
        generate(without_numbers, [[4, 5, 6], [7, 8]], decode)


def test_a_choice_that_was_not_computed_from_numbers_is_an_error(without_numbers: ModelBundle) -> None:
    with pytest.raises(ZooError, match="computes logits that are not numbers"):
        choose(without_numbers, [4, 5, 6], ["1", "2"])
