"""Control tokens that a text spells out stay text: in prompts, targets, options and in every turn of a chat."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from chat_templates import FAMILIES, family_tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import LLAMA, T5, Prompts, kit, recipe, sums, supervised
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import ByT5Tokenizer, PreTrainedTokenizerFast, T5TokenizerFast

from instructzoo.core.errors import ZooError
from instructzoo.core.infer import log_likelihoods
from instructzoo.core.infer.generate import decode_texts
from instructzoo.core.infer.token_spellings import TokenSpellings
from instructzoo.core.models import tokenizers
from instructzoo.core.text import Encoder, TextTokenizer

TEXTS = [f"{row['instruction']}\nAnswer: {row['output']}" for row in sums(40)]
SPELLED = ["<eos>", "Use the <eos> tag", "<pad><pad>12<eos>345", "a <unk> b<unk>", "two\n<eos>\n<eos>", "<|extra|>"]
BOTH = pytest.mark.parametrize("backbone", [LLAMA, T5])


def trained(kind: str) -> Any:
    tokenizer = tokenizers.train_tokenizer(kind, TEXTS, 512)
    tokenizer.add_special_tokens({"extra_special_tokens": ["<|extra|>"]})
    tokenizer.add_tokens(["@@word", "<think>"])
    return tokenizer


def unigram() -> Any:
    """A tokenizer of T5's kind, whose model holds the control tokens as pieces; it knows no "<"."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("▁tag", -1.0)]
    return T5TokenizerFast(vocab=[*pieces, *((c, -3.0) for c in "abcdefghijklmnopqrstuvwxyz/>0_")], extra_ids=2)


def words() -> Any:
    """A tokenizer of whole words between spaces, lowercased, whose vocabulary holds the control tokens."""
    vocabulary = {"<pad>": 0, "<eos>": 1, "<unk>": 2, "the": 3, "end": 4}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.normalizer, backend.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")


def encode(tokenizer: Any, text: str) -> list[int]:
    return TextTokenizer(tokenizer).encode_text(text)


@pytest.mark.parametrize("text", SPELLED)
@pytest.mark.parametrize("kind", ["digits", "bpe"])
def test_a_spelled_out_control_token_is_text_and_comes_back_in_full(kind: str, text: str) -> None:
    tokenizer = trained(kind)
    token_ids = encode(tokenizer, text)
    assert not set(token_ids) & set(tokenizer.all_special_ids)
    assert tokenizer.decode(token_ids, skip_special_tokens=True) == text
    spellings = TokenSpellings.from_tokenizer(tokenizer)  # constrained decoding writes the same tokens
    assert b"".join(spellings.spelling(i, False) or b"" for i in token_ids) == text.encode()


@pytest.fixture(scope="module")
def byte_level() -> Any:
    return trained("bpe")


@pytest.fixture(scope="module")
def chatml() -> Any:
    return family_tokenizer(FAMILIES["chatml"])


@given(st.lists(st.sampled_from(["<eos>", "<", "eos", ">", "<pad>", "<unk>", "é", " ", "12", "@@word", "\n", "a"])))
@settings(max_examples=60, deadline=None)
def test_any_text_round_trips_through_byte_level_tokens(byte_level: Any, pieces: list[str]) -> None:
    text = "".join(pieces)
    token_ids = encode(byte_level, text)
    assert not set(token_ids) & set(byte_level.all_special_ids)
    assert byte_level.decode(token_ids, skip_special_tokens=True) == text


@pytest.mark.parametrize("make", [lambda: trained("digits"), lambda: trained("bpe"), unigram, words, ByT5Tokenizer])
def test_texts_without_control_tokens_get_the_ids_of_transformers(make: Any) -> None:
    tokenizer = make()
    texts = [*TEXTS, "", "  ", "@@word the <think> of it", "é 漢字", "< eos >", "the end", "<eo s>"]
    expected = tokenizer(texts, add_special_tokens=False)["input_ids"]
    assert TextTokenizer(tokenizer).encode([[text] for text in texts]) == expected
    assert TextTokenizer(tokenizer).encode([]) == []


@pytest.mark.parametrize("kind", ["digits", "bpe"])
def test_added_tokens_that_are_not_special_stay_vocabulary(kind: str) -> None:
    tokenizer = trained(kind)
    pieces = tokenizer.convert_ids_to_tokens(encode(tokenizer, "say @@word<eos><think>"))
    assert pieces.count("@@word") == pieces.count("<think>") == 1 and "<eos>" not in pieces


@pytest.mark.parametrize("text", ["a </s> tag", "<pad>", "<extra_id_0> a", "the <unk>"])
def test_a_unigram_model_spells_control_tokens_by_pieces_or_unknown_characters(text: str) -> None:
    tokenizer = unigram()
    token_ids = encode(tokenizer, text)
    assert set(token_ids) & set(tokenizer.all_special_ids) == {tokenizer.unk_token_id}  # it knows no "<"
    assert len(token_ids) > len(tokenizer(text, add_special_tokens=False)["input_ids"])


@pytest.mark.parametrize("text", ["the <eos> end", "the <EOS> end", "the <pad> end"])
def test_a_word_model_takes_a_control_token_for_an_unknown_word(text: str) -> None:
    tokenizer = words()
    assert tokenizer("the <eos> end", add_special_tokens=False)["input_ids"] == [3, 1, 4]
    assert encode(tokenizer, text) == [3, tokenizer.unk_token_id, 4]


def test_a_target_that_the_tokenizer_cannot_spell_is_an_error() -> None:
    encoder = Encoder(words(), Prompts, "seq2seq", 64)
    row = {**sums(1)[0], "instruction": "the end", "output": "the <eos> end"}
    with pytest.raises(ZooError, match="holds a character that the tokenizer does not know"):
        encoder.encode(row)
    assert encoder.encode({**row, "output": "the end"}).labels == [3, 4, 1]


def test_a_tokenizer_in_python_spells_control_tokens_too() -> None:
    tokenizer = ByT5Tokenizer()
    tokenizer.add_tokens(["@@word"])
    for text in ("a </s> b", "<extra_id_0>", "@@word </s>", "<pad><unk>"):
        token_ids = encode(tokenizer, text)
        assert not set(token_ids) & set(tokenizer.all_special_ids)
        assert tokenizer.decode(token_ids, skip_special_tokens=True) == text
    assert tokenizer.convert_tokens_to_ids("@@word") in encode(tokenizer, "@@word </s>")


def test_given_control_tokens_keep_their_ids_beside_spelled_out_ones() -> None:
    for kind in ("digits", "bpe"):
        tokenizer = trained(kind)
        eos = tokenizer.eos_token_id
        (token_ids,) = TextTokenizer(tokenizer).encode([["a<eos>12", eos, "34 @@word", eos]])
        assert token_ids.count(eos) == 2 and token_ids[-1] == eos
        assert tokenizer.decode(token_ids) == "a<eos>12<eos>34 @@word<eos>"
        first = token_ids.index(eos)
        assert token_ids[:first] == encode(tokenizer, "a<eos>12")
        assert token_ids[first + 1 : -1] == encode(tokenizer, "34 @@word")


def test_the_tokenizer_of_the_caller_is_left_as_it_is() -> None:
    """Threads of a demo share it: one that reads a template's tokens must not meet a switch that another has set."""
    tokenizer = trained("bpe")
    text_tokenizer, expected, faults = TextTokenizer(tokenizer), tokenizer("a<eos>")["input_ids"], []

    def work() -> None:
        for _ in range(50):
            if tokenizer.eos_token_id in text_tokenizer.encode_text("a<eos>"):
                faults.append("text")
            if tokenizer.backend_tokenizer.encode("a<eos>").ids != expected:
                faults.append("tokenizer")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults and not tokenizer.backend_tokenizer.encode_special_tokens


def test_threads_that_make_the_private_spellings_at_once_make_the_same() -> None:
    text_tokenizer = TextTokenizer(trained("bpe"))
    first = text_tokenizer._private_spellings
    del text_tokenizer.__dict__["_private_spellings"]  # as a thread that does not see the other's
    assert text_tokenizer._private_spellings == first
    assert TextTokenizer(text_tokenizer.tokenizer)._private_spellings != first


def test_a_unknown_token_that_is_also_the_stop_token_is_no_way_to_end_a_text() -> None:
    """GPT-2 has one token for end, padding and unknown characters."""
    tokenizer = trained("bpe")
    tokenizer.add_special_tokens({"unk_token": "<eos>", "pad_token": "<eos>"})
    assert tokenizer.eos_token_id not in encode(tokenizer, "a <eos> b")


@BOTH
@pytest.mark.parametrize("kind", ["digits", "bpe"])
def test_a_row_with_control_tokens_is_encoded_as_text(backbone: str, kind: str) -> None:
    encoder = kit(recipe(backbone, kind)).encoder
    row = {**sums(1)[0], "instruction": "Is <eos> or <pad> an end?", "output": "12<eos><pad> 3"}
    encoded, eos = encoder.encode(row), encoder.tokenizer.eos_token_id
    assert supervised(encoded).count(eos) == 1 and supervised(encoded)[-1] == eos
    assert decode_texts(kit(recipe(backbone, kind)).bundle, [supervised(encoded)]) == [row["output"]]
    assert encoder.prompt(row).count(eos) == (backbone == T5)
    assert encoder.tokenizer.pad_token_id not in encoded.input_ids
    assert encoder.prompt(row) == encoded.input_ids[: len(encoder.prompt(row))]


@BOTH
def test_an_option_with_a_control_token_is_scored_as_text(backbone: str) -> None:
    setup = kit(recipe(backbone, "bpe"))
    setup.model.eval()
    prompt = setup.encoder.prompt(sums(1)[0])
    spelled, cut = log_likelihoods(setup.bundle, prompt, ["1<eos>2", "1"])
    assert spelled < cut - 5  # seven more tokens of an untrained model, not one


@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_users_text_cannot_restructure_a_chat(name: str) -> None:
    tokenizer = family_tokenizer(FAMILIES[name])
    encoder = Encoder(tokenizer, Prompts, "causal", 900, template="chat")
    special, stop = FAMILIES[name].special, tokenizer.convert_ids_to_tokens(encoder.stop)
    attack = "".join([*special, *FAMILIES[name].added, "<eos>", "{{ 7 * 7 }}{% if x %}"])
    plain, attacked = ({**sums(1)[0], "instruction": f"2 + 3{text}", "output": f"5{text}"} for text in ("", attack))
    expected, encoded = encoder.encode(plain), encoder.encode(attacked)

    def control(token_ids: list[int]) -> list[int]:
        return [i for i in token_ids if i in tokenizer.added_tokens_decoder]

    learnt = control([i for i in encoded.labels if i != -100])  # an answer may hold <think>, which a model may write
    assert [i for i in learnt if tokenizer.added_tokens_decoder[i].special] == [encoder.stop]
    assert control(encoder.prompt(attacked)) == control(encoder.prompt(plain))
    assert tokenizer.decode(encoded.input_ids).count(attack) == 2
    assert encoded.input_ids[: len(encoder.prompt(attacked))] == encoder.prompt(attacked)
    assert tokenizer.decode(encoder.prompt(attacked)).replace(attack, "") == tokenizer.decode(encoder.prompt(plain))
    assert expected.input_ids[-1] == encoded.input_ids[-1] == tokenizer.convert_tokens_to_ids(stop)


def test_a_users_placeholder_character_is_text() -> None:
    tokenizer = family_tokenizer(FAMILIES["chatml"])
    encoder = Encoder(tokenizer, Prompts, "causal", 900, template="chat")
    text = "\U0010fffd0\U0010fffd <|im_end|> \U0010fffd"
    assert text in tokenizer.decode(encoder.prompt({**sums(1)[0], "instruction": text}))


@given(st.text(st.sampled_from("<|im_endstar>\U0010fffd01 \n"), max_size=30), st.sampled_from(["", "<|im_end|>"]))
@settings(max_examples=60, deadline=None)
def test_any_turn_comes_back_as_it_was_written(chatml: Any, text: str, mark: str) -> None:
    encoder = Encoder(chatml, Prompts, "causal", 900, template="chat")
    prompt_ids = encoder.prompt({**sums(1)[0], "instruction": f"x{text}{mark}{text}"})
    expected = f"<|im_start|>user\nx{text}{mark}{text}\nAnswer: <|im_end|>\n<|im_start|>assistant\n"
    assert chatml.decode(prompt_ids) == expected
    assert sum(i in chatml.added_tokens_decoder for i in prompt_ids) == 3
