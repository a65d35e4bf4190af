"""Generation and choice scoring: batch, order and padding do not change the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, kit, recipe, started, sums, wild

from instructzoo.core.errors import ZooError
from instructzoo.core.infer import choose, continuous_batching, generate, log_likelihoods
from instructzoo.core.infer.generate import count_truncated, generate_ids, plan_batches
from instructzoo.core.models import ModelBundle
from instructzoo.core.recipe import Decode

BOTH = pytest.mark.parametrize("backbone", [LLAMA, T5])


@pytest.fixture(scope="module")
def kits() -> dict[str, Kit]:
    setups = {backbone: kit(recipe(backbone)) for backbone in (LLAMA, T5)}
    for setup in setups.values():
        wild(setup.model)
    return setups


def prompts(setup: Kit, n: int = 25) -> list[list[int]]:
    return [setup.encoder.prompt(row) for row in sums(n, seed=4, digits=6)]


def by_hand(setup: Kit, prompt: list[int], steps: int) -> list[int]:
    """Greedy decoding in its plainest form: the full text is read again for every token; no cache, no batch."""
    tokenizer, ids = setup.bundle.tokenizer, torch.tensor([prompt])
    written = [] if setup.bundle.kind == "causal" else [setup.model.config.decoder_start_token_id]
    opening = len(written)
    while len(written) < steps + opening:
        with torch.no_grad():
            if setup.bundle.kind == "causal":
                logits = setup.model(input_ids=torch.tensor([[*prompt, *written]])).logits
            else:
                logits = setup.model(input_ids=ids, decoder_input_ids=torch.tensor([written])).logits
        token = int(logits[0, -1].argmax())
        if token == tokenizer.eos_token_id:
            break
        written.append(token)
    return written[opening:]


def text(setup: Kit, ids: list[int]) -> str:
    decoded: str = setup.bundle.tokenizer.decode(ids, skip_special_tokens=True)
    return decoded


@BOTH
def test_answers_are_independent_of_the_batch_and_in_order(kits: dict[str, Kit], backbone: str) -> None:
    setup = kits[backbone]
    questions = prompts(setup)
    assert len({len(p) for p in questions}) > 5
    alone = [generate(setup.bundle, [prompt], Decode(max_new_tokens=8))[0] for prompt in questions]
    assert len(set(alone)) > 10
    for tokens in (1, 150, 100_000):
        assert generate(setup.bundle, questions, Decode(max_new_tokens=8, batch_tokens=tokens)) == alone
    assert generate(setup.bundle, [], Decode()) == []


@BOTH
def test_greedy_decoding_takes_the_likeliest_token_at_each_step(kits: dict[str, Kit], backbone: str) -> None:
    setup = kits[backbone]
    questions = prompts(setup, 8)
    assert generate(setup.bundle, questions, Decode(max_new_tokens=8)) == [
        text(setup, by_hand(setup, p, 8)) for p in questions
    ]


@BOTH
def test_an_answer_ends_at_eos(backbone: str) -> None:
    """The end-of-sequence token is set to a token that these models write often."""
    setup = kit(recipe(backbone))
    wild(setup.model)
    questions = prompts(setup, 12)
    unlimited = [by_hand(setup, prompt, 8) for prompt in questions]
    often = Counter(token for ids in unlimited for token in ids[1:]).most_common(1)[0][0]
    tokenizer = setup.bundle.tokenizer
    tokenizer.add_special_tokens({"eos_token": tokenizer.convert_ids_to_tokens(often)})
    expected = [by_hand(setup, prompt, 8) for prompt in questions]
    assert {len(ids) for ids in expected} > {8}  # some stop, some do not
    assert generate(setup.bundle, questions, Decode(max_new_tokens=8)) == [text(setup, ids) for ids in expected]


def test_the_generation_config_of_a_backbone_has_no_effect(kits: dict[str, Kit]) -> None:
    """Models from the hub have a generation_config; the recipe alone decides, and has no penalties."""
    setup = kits[LLAMA]
    questions = prompts(setup, 12)
    plain = generate(setup.bundle, questions, Decode(max_new_tokens=12))
    config = setup.model.generation_config
    config.repetition_penalty, config.no_repeat_ngram_size = 5.0, 1
    config.num_beams, config.top_k, config.min_length = 2, 1, 99
    sampled = generate(setup.bundle, questions, Decode(max_new_tokens=12, temperature=5.0))
    try:
        assert generate(setup.bundle, questions, Decode(max_new_tokens=12)) == plain
    finally:
        setup.model.generation_config = type(config)()
    assert generate(setup.bundle, questions, Decode(max_new_tokens=12, temperature=5.0)) == sampled
    assert sampled != plain


@BOTH
def test_sampling_is_reproducible_and_leaves_the_global_rng(kits: dict[str, Kit], backbone: str) -> None:
    setup, hot = kits[backbone], Decode(max_new_tokens=8, temperature=3.0, top_p=0.95)
    questions = prompts(setup, 8)
    torch.manual_seed(7)
    first = generate(setup.bundle, questions, hot, seed=1)
    second = generate(setup.bundle, questions, hot, seed=2)
    drawn = float(torch.rand(()))
    assert first == generate(setup.bundle, questions, hot, seed=1)
    assert first != second
    torch.manual_seed(7)
    assert drawn == float(torch.rand(()))


def test_sampling_has_no_hidden_top_k(kits: dict[str, Kit]) -> None:
    """The default top_k of transformers is 50; the recipe has top_p and nothing else."""
    setup = kits[LLAMA]
    prompt = prompts(setup, 1)[0]
    with torch.no_grad():
        order = setup.model(input_ids=torch.tensor([prompt])).logits[0, -1].argsort(descending=True).tolist()
    answers = generate(
        setup.bundle, [prompt] * 400, Decode(max_new_tokens=1, temperature=1e4, batch_tokens=10**6), seed=0
    )
    names = [setup.bundle.tokenizer.decode([token], skip_special_tokens=True) for token in order]
    assert set(answers) - set(names[:50])
    assert len(set(answers)) > 60


def test_the_batch_plan_has_every_prompt_once_within_the_token_budget() -> None:
    questions = [[1] * n for n in (3, 50, 7, 7, 90, 1, 12, 12, 12)]
    for tokens in (1, 40, 120, 10_000):
        batches = list(plan_batches(questions, Decode(max_new_tokens=10, batch_tokens=tokens)))
        assert sorted(row for rows in batches for row in rows) == list(range(len(questions)))
        assert all(len(r) == 1 or len(r) * (10 + max(len(questions[i]) for i in r)) <= tokens for r in batches)
        sizes = [len(questions[row]) for rows in batches for row in rows]
        assert sizes == sorted(sizes, reverse=True)


# The decoding loop


def babbler(config: Any, stopping: float = 0.0) -> Any:
    """A causal model of random weights. stopping: how much likelier than others the end of sequence is."""
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config)
        wild(model, 0.4)
    if not config.tie_word_embeddings:
        model.get_input_embeddings().weight.data *= 0.1  # else the last token alone decides on the next
    head = model.get_output_embeddings()
    head.bias = torch.nn.Parameter(torch.zeros(config.vocab_size))
    head.bias.data[config.eos_token_id] = stopping
    return model


def families(tokenizer: Any) -> dict[str, Any]:
    """Small configurations of families that differ in what the loop touches."""
    from transformers import Gemma3TextConfig, GPT2Config, MistralConfig, Qwen2Config

    shape = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    shape |= {"vocab_size": len(tokenizer), "num_hidden_layers": 2, **ends}
    return {
        "grouped heads": Qwen2Config(**shape),
        "a sliding window": MistralConfig(**shape, sliding_window=7),
        "windows in some layers": Gemma3TextConfig(
            **shape,
            tie_word_embeddings=False,
            head_dim=8,
            sliding_window=6,
            layer_types=["sliding_attention", "full_attention"],
        ),
        "learnt positions": GPT2Config(
            vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=64, **ends
        ),
    }


def own_generate(model: Any, tokenizer: Any, prompt: Sequence[int], steps: int) -> str:
    """What the model's own generate writes after one prompt."""
    ids = torch.tensor([prompt])
    written = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=steps, do_sample=False,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    decoded: str = tokenizer.decode(written[0, len(prompt) :], skip_special_tokens=True)
    return decoded


@pytest.mark.parametrize("family", ["grouped heads", "a sliding window", "windows in some layers", "learnt positions"])
def test_rows_that_enter_or_leave_a_batch_do_not_change_other_answers(kits: dict[str, Kit], family: str) -> None:
    """Few slots, many prompts, answers of all lengths: rows leave, others take their place, columns are dropped."""
    tokenizer = kits[LLAMA].bundle.tokenizer
    model = babbler(families(tokenizer)[family], stopping=6.0)
    assert continuous_batching.is_supported(model)
    questions, loaded = prompts(kits[LLAMA], 24), ModelBundle(model, tokenizer, "causal")
    alone = [own_generate(model, tokenizer, prompt, 24) for prompt in questions]
    assert len({len(answer) for answer in alone}) > 5
    for tokens in (1, 300, 10**6):
        assert generate(loaded, questions, Decode(max_new_tokens=24, batch_tokens=tokens)) == alone


def test_a_batch_does_not_wait_for_its_longest_answer(kits: dict[str, Kit]) -> None:
    """The model reads few more rows than needed: ended ones are dropped soon."""
    tokenizer = kits[LLAMA].bundle.tokenizer
    model = babbler(families(tokenizer)["grouped heads"], stopping=6.0)
    read: list[int] = []
    model.register_forward_pre_hook(lambda _, args, given: read.append(len(given["input_ids"])), with_kwargs=True)
    questions = prompts(kits[LLAMA], 60)
    decode = Decode(max_new_tokens=40, batch_tokens=20 * 80)
    written = continuous_batching.Decoder(
        model, questions, decode, [tokenizer.eos_token_id], tokenizer.pad_token_id, 0
    ).run()
    needed = sum(min(len(ids) + 1, 40) for ids in written)
    assert max(map(len, written)) > 2 * sum(map(len, written)) / len(written)
    assert needed <= sum(read) < 1.25 * needed


def test_rows_padded_to_a_long_row_stay_within_the_token_budget(kits: dict[str, Kit]) -> None:
    """One long prompt among short ones: the budget counts rows times the width that all are padded to."""
    tokenizer = kits[LLAMA].bundle.tokenizer
    model = babbler(families(tokenizer)["grouped heads"], stopping=6.0)
    cell_counts: list[int] = []
    hook = model.register_forward_pre_hook(
        lambda _, args, given: cell_counts.append(given["attention_mask"].numel()), with_kwargs=True
    )
    short = prompts(kits[LLAMA], 60)
    questions, decode = [short[0] * 24, *short[1:]], Decode(max_new_tokens=12, batch_tokens=1200)
    assert len(questions[0]) > 5 * max(map(len, short))
    answers = generate(ModelBundle(model, tokenizer, "causal"), questions, decode)
    hook.remove()
    assert max(cell_counts) <= decode.batch_tokens
    assert len(cell_counts) < 12 * len(questions) / 4  # and the short ones still go together
    assert answers[:2] == [own_generate(model, tokenizer, prompt, 12) for prompt in questions[:2]]


def test_the_cache_drops_columns_of_ended_rows(kits: dict[str, Kit]) -> None:
    """Columns that only ended rows needed are dropped."""
    tokenizer = kits[LLAMA].bundle.tokenizer
    model = babbler(families(tokenizer)["grouped heads"], stopping=6.0)
    widths: list[int] = []
    model.register_forward_pre_hook(
        lambda _, args, given: widths.append(given["attention_mask"].shape[1]), with_kwargs=True
    )
    questions = prompts(kits[LLAMA], 40)
    generate(ModelBundle(model, tokenizer, "causal"), questions, Decode(max_new_tokens=12, batch_tokens=3 * 40))
    assert max(widths) <= max(map(len, questions)) + 12 < len(widths)


def test_a_model_outside_the_decoding_loop_uses_its_own_generate(kits: dict[str, Kit]) -> None:
    """A recurrent state has no columns to drop: its own generate answers."""
    from transformers import MambaConfig

    tokenizer = kits[LLAMA].bundle.tokenizer
    config = MambaConfig(
        vocab_size=len(tokenizer), hidden_size=32, state_size=4, num_hidden_layers=1,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = babbler(config)
    assert not continuous_batching.is_supported(model)
    questions = prompts(kits[LLAMA], 1)
    loaded = ModelBundle(model, tokenizer, "causal")
    assert generate(loaded, questions, Decode(max_new_tokens=4)) == [own_generate(model, tokenizer, questions[0], 4)]


def test_a_sampled_answer_is_independent_of_its_batch(kits: dict[str, Kit]) -> None:
    setup = kits[LLAMA]
    questions = prompts(setup, 12)
    hot = {"max_new_tokens": 8, "temperature": 3.0, "top_p": 0.95}
    drawn = generate(setup.bundle, questions, Decode(**hot), seed=3)
    assert len(set(drawn)) > 8
    for tokens in (1, 150):
        assert generate(setup.bundle, questions, Decode(**hot, batch_tokens=tokens), seed=3) == drawn
    assert generate(setup.bundle, questions[:5], Decode(**hot), seed=3) == drawn[:5]


@BOTH
def test_a_sampled_answer_depends_on_its_row_number_and_not_on_its_block(kits: dict[str, Kit], backbone: str) -> None:
    """A killed `zoo predict` resumes in the middle."""
    setup = kits[backbone]
    questions, hot = prompts(setup, 8), Decode(max_new_tokens=8, temperature=3.0)
    all_answers = generate_ids(setup.bundle, questions, hot, seed=3)
    assert generate_ids(setup.bundle, questions[3:], hot, seed=3, first=3) == all_answers[3:]
    assert generate_ids(setup.bundle, questions[3:], hot, seed=3) != all_answers[3:]


@BOTH
def test_answers_cut_at_max_new_tokens_are_counted(kits: dict[str, Kit], backbone: str) -> None:
    setup, decode = kits[backbone], Decode(max_new_tokens=3)
    questions = prompts(setup, 8)
    ended = [len(by_hand(setup, prompt, 4)) < 3 for prompt in questions]
    assert count_truncated(generate_ids(setup.bundle, questions, decode), decode) == ended.count(False) > 0
    assert count_truncated([[5, 6], [5, 6, 7]], decode) == 1


def test_top_p_sampling_draws_only_from_the_nucleus_in_proportion() -> None:
    chances = torch.tensor([0.05, 0.4, 0.15, 0.3, 0.1])
    drawn = (torch.arange(1000) + 0.5) / 1000
    for top_p, inside in ((0.4, [1]), (0.41, [1, 3]), (0.7, [1, 3]), (0.71, [1, 2, 3]), (1.0, [0, 1, 2, 3, 4])):
        tokens = continuous_batching.sample_top_p(chances.log().expand(1000, 5), top_p, drawn)
        expected = chances[inside] / chances[inside].sum()
        shares = torch.bincount(tokens, minlength=5) / 1000
        assert shares[inside].tolist() == pytest.approx(expected.tolist(), abs=2e-3)
        assert shares[inside].sum() == pytest.approx(1.0)


def test_a_model_with_an_adapter_answers_with_it_in_the_decoding_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = kit(recipe(LLAMA, method=LORA))
    questions = prompts(setup, 8)
    before = generate(setup.bundle, questions, Decode(max_new_tokens=8))
    wild(setup.model)
    tuned = ModelBundle(setup.model, setup.bundle.tokenizer, "causal")
    expected = [text(setup, by_hand(setup, prompt, 8)) for prompt in questions]
    monkeypatch.setattr(setup.model, "generate", None)
    monkeypatch.setattr(setup.model.get_base_model(), "generate", None)
    assert generate(tuned, questions, Decode(max_new_tokens=8)) == expected != before


def prompted(setup: Kit, way: str) -> Kit:
    """The kit's backbone with a learnt prompt of random values, by peft itself."""
    import peft

    causal = setup.bundle.kind == "causal"
    given = {"task_type": "CAUSAL_LM" if causal else "SEQ_2_SEQ_LM", "num_virtual_tokens": 6}
    configs = {"prefix": peft.PrefixTuningConfig, "prompt": peft.PromptTuningConfig, "p": peft.PromptEncoderConfig}
    if way == "p":
        given["encoder_hidden_size"] = 16
    tuned = peft.get_peft_model(setup.bundle.model, configs[way](**given))
    wild(tuned, 3.0)
    loaded = ModelBundle(tuned, setup.bundle.tokenizer, setup.bundle.kind)
    return Kit(setup.recipe, loaded, tuned, setup.encoder, setup.objective, setup.splits)


@BOTH
@pytest.mark.parametrize("way", ["prefix", "prompt", "p"])
def test_learnt_prompts_take_effect_in_every_batch_size(backbone: str, way: str) -> None:
    """peft 0.21 misplaces learnt prompts if the batch is padded on the left."""
    setup = kit(recipe(backbone))
    wild(setup.model, 0.4)
    questions = prompts(setup, 12)
    assert len({len(prompt) for prompt in questions}) > 4
    before = generate(setup.bundle, questions, Decode(max_new_tokens=8))
    setup = prompted(setup, way)
    expected = [text(setup, by_hand(setup, prompt, 8)) for prompt in questions]
    assert sum(new != old for new, old in zip(expected, before, strict=True)) > 6
    for tokens in (1, 10**6):
        assert generate(setup.bundle, questions, Decode(max_new_tokens=8, batch_tokens=tokens)) == expected


# Choices

OPTIONS = ["5", "12", "1234567", "no answer", "?"]


def naive_log_likelihood(setup: Kit, prompt: list[int], option: str) -> float:
    """The log-probability of an option, one token at a time."""
    tokenizer = setup.bundle.tokenizer
    target = [*tokenizer(option, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    total = 0.0
    for i, token in enumerate(target):
        with torch.no_grad():
            if setup.bundle.kind == "causal":
                logits = setup.model(input_ids=torch.tensor([[*prompt, *target[:i]]])).logits
            else:
                read = torch.tensor([[setup.model.config.decoder_start_token_id, *target[:i]]])
                logits = setup.model(input_ids=torch.tensor([prompt]), decoder_input_ids=read).logits
        total += float(torch.log_softmax(logits[0, -1].double(), 0)[token])
    return total


@BOTH
def test_option_scores_and_choices_are_independent_of_the_batch(kits: dict[str, Kit], backbone: str) -> None:
    setup = kits[backbone]
    for prompt in prompts(setup, 5):
        expected = [naive_log_likelihood(setup, prompt, option) for option in OPTIONS]
        for batch in (1, 2, 32):
            assert log_likelihoods(setup.bundle, prompt, OPTIONS, batch) == pytest.approx(expected, rel=1e-4)
        best = max(range(len(OPTIONS)), key=expected.__getitem__)
        assert choose(setup.bundle, prompt, OPTIONS) == best
        tokens = [len(setup.encoder.tokenize(option)) + 1 for option in OPTIONS]
        per_token = [score / n for score, n in zip(expected, tokens, strict=True)]
        assert choose(setup.bundle, prompt, OPTIONS, per_token=True) == max(
            range(len(OPTIONS)), key=per_token.__getitem__
        )


@BOTH
def test_probabilities_of_the_ten_one_digit_answers_sum_to_less_than_one(kits: dict[str, Kit], backbone: str) -> None:
    """Longer texts have a share of the distribution as well, so the end of sequence is scored with each option."""
    setup = kits[backbone]
    prompt = prompts(setup, 1)[0]
    short = log_likelihoods(setup.bundle, prompt, list("0123456789"))
    with torch.no_grad():
        ends = [log_likelihoods(setup.bundle, prompt, [f"{a}{b}" for b in "01"]) for a in "12"]
    assert sum(torch.tensor(short).exp().tolist()) < 1
    assert all(len(pair) == 2 for pair in ends)


def test_an_empty_option_or_prompt_is_an_error(kits: dict[str, Kit]) -> None:
    for options in ([], [""], ["5", ""]):
        with pytest.raises(ZooError, match="an empty option"):
            log_likelihoods(kits[LLAMA].bundle, [5], options)
    with pytest.raises(ZooError, match="an empty prompt"):
        log_likelihoods(kits[LLAMA].bundle, [], ["5"])


def test_a_model_tuned_on_short_answers_ends_all_of_them(tmp_path: Path) -> None:
    """A model that had not learnt the stop token would write up to the limit."""
    rows = [row | {"output": "yes" if len(row["instruction"]) % 2 else "no"} for row in sums(40)]
    setup = kit(recipe(train={"steps": 60, "lr": 1e-2}), rows)
    setup.fit(started(setup.recipe, tmp_path))
    setup.model.eval()
    questions = [setup.encoder.prompt(row) for row in sums(30, seed=5)]
    decode = Decode(max_new_tokens=12)
    assert count_truncated(generate_ids(setup.bundle, questions, decode), decode) == 0
