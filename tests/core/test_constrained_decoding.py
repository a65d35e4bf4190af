"""Constrained decoding: what grammars permit, how tokens are spelled, and that every decoding loop obeys."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from kit import LLAMA, T5, Kit, kit, recipe, states, sums, wild

from instructzoo.core import domain as domains
from instructzoo.core.commands import eval
from instructzoo.core.errors import ZooError
from instructzoo.core.infer import Predictor
from instructzoo.core.infer.answering import DEAD_END, TRUNCATED
from instructzoo.core.infer.constrained_decoding import AnswerConstraints
from instructzoo.core.infer.generate import decode_texts, generate_ids
from instructzoo.core.infer.grammar import Constraint, Grammar, Part, advance, choice, either, literal, many, seq, span
from instructzoo.core.infer.token_spellings import TokenSpellings
from instructzoo.core.recipe import Decode, load
from instructzoo.core.record import Row
from instructzoo.core.score import tables
from instructzoo.core.score.results import Results
from instructzoo.core.terminal import printers

KINDS = [(LLAMA, "bpe"), (LLAMA, "digits"), (T5, "bpe"), (T5, "digits")]
EVERY = pytest.mark.parametrize("kind", KINDS, ids=[f"{b.split(':')[1]}-{t}" for b, t in KINDS])


@pytest.fixture(scope="module")
def kits() -> dict[tuple[str, str], Kit]:
    setups = {(backbone, tokenizer): kit(recipe(backbone, tokenizer)) for backbone, tokenizer in KINDS}
    for setup in setups.values():
        wild(setup.model)
    return setups


def labelled(text: str) -> Part:
    """ "None", or labels with pieces of the text."""
    pair = seq(choice(["sum", "term", "tea"]), literal(": "), span(text, {";": None}))
    return either(literal("None"), many(pair, "; "))


def grammar_of(row: Row) -> Grammar:
    return Grammar(labelled(row["instruction"]))


def questions(n: int = 16) -> list[Row]:
    return sums(n, seed=4, digits=6)


def generate_constrained(
    setup: Kit, rows: Sequence[Row], decode: Decode, constraint_of: Callable[[Row], Constraint | None], seed: int = 0
) -> Any:
    """Token ids that the model writes under the grammars of the rows, with the state of the constraints."""
    constraints = AnswerConstraints(
        TokenSpellings.from_tokenizer(setup.bundle.tokenizer), lambda row: constraint_of(rows[row])
    )
    return generate_ids(
        setup.bundle, [setup.encoder.prompt(row) for row in rows], decode, seed, constraints=constraints
    ), constraints


# Grammars


def oracle(text: str, excluded: str) -> set[str]:
    """All spans of an ASCII text, straight from the definition."""
    edges = [m.start() for m in re.finditer(r"(?<!\w)|(?!\w)", text, re.ASCII)]
    pieces = (text[i:j] for i in edges for j in edges if i < j)
    return {p for p in pieces if p == p.strip() and not set(p) & set(excluded)}


def test_spans_begin_and_end_at_word_edges_and_contain_no_excluded_character() -> None:
    draw = random.Random(0)
    for _ in range(60):
        text = "".join(draw.choice("aab1 ,(-") for _ in range(draw.randrange(1, 14)))
        expected = oracle(text, "(")
        every = {text[i:j] for i in range(len(text)) for j in range(i, len(text) + 1)}
        grammar = either(literal("None"), span(text, {"(": None}))
        permitted = {piece for piece in every if Grammar(grammar).permits(piece)}
        assert permitted == expected, text


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Zoë sieht Köln.", ["Zoë", "Köln", "sieht Köln."], ["Zo", "öln", "Zoë "]),
        ("a 👩‍🔬 b 👍🏽.", ["👩‍🔬", "👍🏽", "👍🏽."], ["👩", "🔬", "👍"]),
        ("to 🇩🇪 or 🇫🇷!", ["🇩🇪", "🇫🇷!"], ["🇩", "🇪 or"]),
        ("cafe\u0301 noir", ["cafe\u0301"], ["cafe", "\u0301 noir"]),
        ("東京に住む", ["東京", "京", "住む"], ["東住"]),
        ("שלום עולם", ["שלום", "עולם"], ["שלו", "ולם"]),
        ("don't stop", ["don", "don't", "'"], ["do", "on't"]),
        ("bell\x07 \x00nul", ["bell", "\x00nul", "\x07"], ["be"]),
        ("half \ud83d pair", ["half", "\ud83d pair"], ["hal"]),
    ],
)
def test_a_grapheme_of_several_characters_is_never_split(text: str, inside: list[str], outside: list[str]) -> None:
    grammar = Grammar(span(text))
    assert [piece for piece in inside if not grammar.permits(piece)] == []
    assert [piece for piece in outside if grammar.permits(piece)] == []


def test_a_quoted_span_escapes_its_special_characters() -> None:
    text = 'He said "no", \\ then left.'
    quoted = seq(literal('"'), span(text, {'"': '\\"', "\\": "\\\\"}), literal('"'))
    grammar = Grammar(either(span(text, {'"': None, ",": None, "\\": None}), quoted))
    assert grammar.permits('"said \\"no\\", \\\\ then"')
    assert grammar.permits("then left")
    assert not grammar.permits('said "no"')
    assert not grammar.permits('"said "no""')
    assert not grammar.permits('"\\"no\\')


def test_no_state_of_a_grammar_is_a_dead_end() -> None:
    draw = random.Random(1)
    for _ in range(40):
        text = "".join(draw.choice("ab ;é—\n") for _ in range(draw.randrange(0, 12)))
        plain, quoted = span(text, {";": None, "\n": None}), span(text, {"\n": "\\n"})
        words = either(plain, seq(literal('"'), quoted, literal('"')))
        labels = choice(["ab", "a", "ba"][: draw.randrange(4)])
        grammar = Grammar(either(literal("None"), many(seq(labels, literal(": "), words), "; ")))
        assert all(grammar.accepts(state) or grammar.transitions(state) for state in states(grammar)), text


def test_an_alternative_that_can_write_nothing_leaves_the_others_intact() -> None:
    nothing = seq(choice([]), literal(": "), span("some text"))
    grammar = Grammar(either(many(nothing, "; "), span("  "), literal("None")))
    assert grammar.permits("None")
    assert not grammar.permits("")
    with pytest.raises(ValueError, match="write nothing"):
        Grammar(many(nothing, "; "))


def test_a_label_that_is_a_prefix_of_another_hides_neither() -> None:
    grammar = Grammar(many(choice(["a", "ab", "abc", ""]), ","))
    for text in ("a", "ab", "abc", "abc,a,ab", "", ",", "a,,ab"):
        assert grammar.permits(text), text
    for text in ("b", "abcd", "ab a"):
        assert not grammar.permits(text), text


def test_grammar_states_of_a_long_text_stay_within_its_length() -> None:
    draw = random.Random(2)
    text = " ".join("".join(draw.choice("abcdefgh") for _ in range(draw.randint(1, 9))) for _ in range(9000))[:50_000]
    start = time.process_time()
    grammar = Grammar(labelled(text))
    state: Any = grammar.start()
    written = "; ".join(f"term: {text[a:b]}" for a, b in [(m.start(), m.end()) for m in _pairs(text)][:20])
    sizes = []
    for byte in written.encode():
        state = grammar.transitions(state)[byte]
        sizes.append(len(state))
    assert grammar.accepts(state)
    assert max(sizes) <= len(text)
    assert time.process_time() - start < 5  # 0.1 s where this was written


def _pairs(text: str) -> Iterator[re.Match[str]]:
    return re.finditer(r"(?<= )\w+ \w+(?= )", text)


# Spellings of tokens


def sentencepiece() -> Any:
    """A tokenizer that decodes as T5's does: marks for spaces, the first one dropped; not all bytes have a token."""
    from transformers import T5Tokenizer

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(piece, -1.0) for piece in ("▁", "▁sum", "sum", ":", "▁9", "9", "▁What", "▁is", ";", "None", "▁None")]
    return T5Tokenizer(vocab=pieces, extra_ids=2)


def fallback() -> Any:
    """A tokenizer that decodes as Llama's does: marks for spaces, and tokens of single bytes."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    singles = [f"<0x{byte:02X}>" for byte in range(256)]
    words = {piece: i for i, piece in enumerate(["<pad>", "</s>", *singles, "▁sum", "sum", "▁", "é", "▁▁"])}
    backend = Tokenizer(models.BPE(vocab=words, merges=[]))
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    backend.decoder = decoders.Sequence(steps)
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="</s>")


def tokenizers(kits: dict[tuple[str, str], Kit]) -> dict[str, Any]:
    trained = {name: kits[LLAMA, name].bundle.tokenizer for name in ("bpe", "digits")}
    return trained | {"sentencepiece": sentencepiece(), "fallback": fallback()}


def test_token_spellings_equal_what_the_tokenizer_decodes(kits: dict[tuple[str, str], Kit]) -> None:
    draw = random.Random(3)
    for name, tokenizer in tokenizers(kits).items():
        spellings = TokenSpellings.from_tokenizer(tokenizer)
        written = [n for n, piece in enumerate(spellings.by_id) if piece is not None]
        assert len(written) >= len(tokenizer) - 8, name
        for _ in range(300):
            ids = [draw.choice(written) for _ in range(draw.randint(1, 4))]
            spelled = b"".join(spellings.spelling(token, i == 0) or b"" for i, token in enumerate(ids))
            try:
                text = spelled.decode()
            except UnicodeDecodeError:
                continue  # the decoder has its own ways to show what is no text
            assert tokenizer.decode(ids, skip_special_tokens=True) == text, (name, ids)


def test_special_tokens_are_never_allowed_and_an_unknown_decoder_is_an_error(kits: dict[tuple[str, str], Kit]) -> None:
    for tokenizer in tokenizers(kits).values():
        spellings = TokenSpellings.from_tokenizer(tokenizer)
        assert all(spellings.by_id[token] is None for token in tokenizer.all_special_ids)
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.WordPiece({"a": 0, "##b": 1, "[UNK]": 2}, unk_token="[UNK]"))
    backend.decoder = decoders.WordPiece()
    with pytest.raises(ZooError, match=r"WordPiece.*decode\.constrained=false"):
        TokenSpellings.from_tokenizer(PreTrainedTokenizerFast(tokenizer_object=backend))


def test_the_allowed_tokens_equal_those_found_by_trying_every_token(kits: dict[tuple[str, str], Kit]) -> None:
    """Walking tree and grammar together finds what trying every token finds, at every state of random answers."""
    draw = random.Random(5)
    for name, tokenizer in tokenizers(kits).items():
        spellings, allowed_count = TokenSpellings.from_tokenizer(tokenizer), 0
        for row in questions(4):
            grammar = Grammar(labelled(f"What is 9 sum? {row['input']} é"))
            state, at_start = grammar.start(), True
            for _ in range(12):
                tried = [
                    token
                    for token in range(len(spellings.by_id))
                    if (spelled := spellings.spelling(token, at_start)) is not None
                    and (spelled or at_start)
                    and advance(grammar, state, spelled) is not None
                ]
                ids = spellings.allowed_tokens(grammar, state, at_start)
                assert sorted(ids) == tried, name
                if not ids:
                    break
                token = draw.choice(ids)
                state, at_start = (
                    advance(grammar, state, spellings.spelling(token, at_start) or b"") or grammar.start(),
                    False,
                )
                allowed_count += len(ids)
        assert allowed_count, name


# Decoding


def obeys(setup: Kit, row: Row, ids: list[int], decode: Decode) -> bool:
    """Whether an answer has ended by itself; checks that it obeys its grammar, as a whole or as a beginning."""
    (text,) = decode_texts(setup.bundle, [ids])
    if len(ids) < decode.max_new_tokens:
        assert grammar_of(row).permits(text), text
        return True
    spellings = TokenSpellings.from_tokenizer(setup.bundle.tokenizer)
    spelled = b"".join(spellings.spelling(token, i == 0) or b"" for i, token in enumerate(ids))
    assert advance(grammar_of(row), grammar_of(row).start(), spelled) is not None, text
    return False


@EVERY
@pytest.mark.parametrize("temperature", [0.0, 9.0])
def test_constrained_answers_obey_their_grammar(
    kits: dict[tuple[str, str], Kit], kind: tuple[str, str], temperature: float
) -> None:
    setup, rows = kits[kind], questions()
    decode = Decode(max_new_tokens=30, temperature=temperature, top_p=0.9 if temperature else 1.0)
    written, constraints = generate_constrained(setup, rows, decode, grammar_of)
    ended = sum(obeys(setup, row, ids, decode) for row, ids in zip(rows, written, strict=True))
    assert ended >= 2
    assert constraints.dead_ends == 0
    free = decode_texts(setup.bundle, generate_ids(setup.bundle, [setup.encoder.prompt(row) for row in rows], decode))
    assert not any(grammar_of(row).permits(text) for row, text in zip(rows, free, strict=True))


def by_hand(setup: Kit, row: Row, grammar: Grammar, steps: int) -> list[int]:
    """Greedy decoding from the definition: every token tried by its bytes, no cache, no batch, no tree."""
    tokenizer, prompt = setup.bundle.tokenizer, setup.encoder.prompt(row)
    spellings = TokenSpellings.from_tokenizer(tokenizer)
    causal = setup.bundle.kind == "causal"
    decoder_start: list[int] = [] if causal else [setup.model.config.decoder_start_token_id]
    written: list[int] = []
    state: Any = grammar.start()
    while len(written) < steps:
        with torch.no_grad():
            if causal:
                logits = setup.model(input_ids=torch.tensor([[*prompt, *written]])).logits[0, -1]
            else:
                answer = torch.tensor([[*decoder_start, *written]])
                logits = setup.model(input_ids=torch.tensor([prompt]), decoder_input_ids=answer).logits[0, -1]
        for token in logits.argsort(descending=True).tolist():
            if token == tokenizer.eos_token_id and grammar.accepts(state):
                return written
            piece = spellings.by_id[token]
            if piece and (after := advance(grammar, state, piece)) is not None:
                written, state = [*written, token], after
                break
    return written


@EVERY
def test_constrained_greedy_decoding_takes_the_likeliest_permitted_token(
    kits: dict[tuple[str, str], Kit], kind: tuple[str, str]
) -> None:
    rows = questions(6)
    written, _ = generate_constrained(kits[kind], rows, Decode(max_new_tokens=10), grammar_of)
    assert written == [by_hand(kits[kind], row, grammar_of(row), 10) for row in rows]


@EVERY
@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_a_constrained_answer_is_independent_of_its_batch(
    kits: dict[tuple[str, str], Kit], kind: tuple[str, str], temperature: float
) -> None:
    """Every third row is free; rows come and go where the budget is small."""
    setup, rows = kits[kind], questions(12)

    def some_constraints(row: Row) -> Grammar | None:
        return None if rows.index(row) % 3 == 2 else grammar_of(row)

    wide = Decode(max_new_tokens=12, temperature=temperature)
    together, _ = generate_constrained(setup, rows, wide, some_constraints)
    for tokens in (1, 150):
        assert (
            generate_constrained(setup, rows, wide.model_copy(update={"batch_tokens": tokens}), some_constraints)[0]
            == together
        )
    free = generate_ids(setup.bundle, [setup.encoder.prompt(row) for row in rows], wide)
    assert together[2::3] == free[2::3]
    assert together[0::3] != free[0::3]


@EVERY
def test_a_grammar_does_not_change_an_answer_that_it_permits(
    kits: dict[tuple[str, str], Kit], kind: tuple[str, str]
) -> None:
    setup, rows, decode = kits[kind], questions(12), Decode(max_new_tokens=8)
    spellings = TokenSpellings.from_tokenizer(setup.bundle.tokenizer)
    free = generate_ids(setup.bundle, [setup.encoder.prompt(row) for row in rows], decode)
    spelled = [b"".join(spellings.by_id[token] or b"\xff" for token in ids) for ids in free]
    spelling_by_row = {id(row): text for row, text in zip(rows, spelled, strict=True)}

    def permitting(row: Row) -> Constraint:
        return Bytes((spelling_by_row[id(row)] + b" and more", b"other"))

    assert generate_constrained(setup, rows, decode, permitting)[0] == free
    assert all(b"\xff" not in text for text in spelled) or kind[1] == "bpe"


@pytest.mark.parametrize("method", ["full", "prompt", "prefix"])
def test_a_causal_model_outside_of_the_decoding_loop_is_constrained_alike(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Models with learnt prompts, and those that the loop cannot drive, answer by transformers' own generate."""
    setup, rows = kit(recipe(LLAMA, method={"name": method, "tokens": 4})), questions(8)
    wild(setup.model)
    loaded = replace(setup, bundle=replace(setup.bundle, model=setup.model))
    decode = Decode(max_new_tokens=30)
    inside, _ = generate_constrained(loaded, rows, decode, grammar_of)
    monkeypatch.setattr(sys.modules[generate_ids.__module__], "is_supported", lambda model: False)
    outside, constraints = generate_constrained(loaded, rows, decode, grammar_of)
    assert outside == inside
    for row, ids in zip(rows, inside, strict=True):
        obeys(setup, row, ids, decode)
    assert not constraints._states


class Bytes:
    """A constraint that permits several byte strings. Its states are the bytes written so far."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.texts = texts

    def start(self) -> bytes:
        return b""

    def transitions(self, state: bytes) -> dict[int, bytes]:
        longer = (t for t in self.texts if t.startswith(state) and len(t) > len(state))
        return {t[len(state)]: t[: len(state) + 1] for t in longer}

    def accepts(self, state: bytes) -> bool:
        return state in self.texts


@pytest.mark.parametrize("backbone", [LLAMA, T5])
def test_a_word_outside_the_vocabulary_ends_only_its_own_answer(
    kits: dict[tuple[str, str], Kit], backbone: str
) -> None:
    setup, rows = kits[backbone, "digits"], questions(6)

    def constraint_of(row: Row) -> Grammar:
        return Grammar(literal("sum 漢")) if row is rows[1] else grammar_of(row)

    written, constraints = generate_constrained(setup, rows, Decode(max_new_tokens=12), constraint_of)
    assert constraints.dead_ends == 1
    assert decode_texts(setup.bundle, written)[1] == "sum "
    others, _ = generate_constrained(setup, rows, Decode(max_new_tokens=12), grammar_of)
    assert [ids for i, ids in enumerate(written) if i != 1] == [ids for i, ids in enumerate(others) if i != 1]


def test_a_leading_space_that_sentencepiece_drops_is_not_required() -> None:
    """A target that begins with a space reads back without it; the grammar is of the target."""
    spellings = TokenSpellings.from_tokenizer(sentencepiece())
    grammar = Grammar(seq(literal(" "), labelled("What is 9")))
    constraints = AnswerConstraints(spellings, lambda _: grammar, stop_ids=[1])
    names = {name: token for token, name in enumerate(["<pad>", "</s>", "<unk>", "▁", "▁sum", "sum", ":", "▁9"])}
    ids = []
    for name in ("▁sum", ":", "▁9"):
        logits = torch.zeros(1, len(spellings.by_id))
        logits[0, names[name]] = 1
        ids.append(int(constraints.mask_logits([0], logits, greedy=True).argmax()))
        constraints.advance(0, ids[-1])
    assert ids == [names["▁sum"], names[":"], names["▁9"]]
    assert sentencepiece().decode(ids) == "sum: 9"
    with pytest.raises(ValueError, match="against its grammar"):
        constraints.advance(0, names["sum"])


@pytest.mark.parametrize("kind", [(LLAMA, "bpe"), (T5, "bpe")], ids=["llama", "t5"])
@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_grammars_are_built_once_and_freed_with_their_rows(
    kits: dict[tuple[str, str], Kit], kind: tuple[str, str], temperature: float
) -> None:
    setup, rows = kits[kind], questions(16)
    constraints = AnswerConstraints(
        TokenSpellings.from_tokenizer(setup.bundle.tokenizer), lambda row: build_grammar(row)
    )
    open_grammars: list[int] = []

    def build_grammar(row: int) -> Grammar:
        open_grammars.append(len(constraints._states))
        return grammar_of(rows[row])

    decode = Decode(max_new_tokens=12, batch_tokens=200, temperature=temperature)
    generate_ids(setup.bundle, [setup.encoder.prompt(row) for row in rows], decode, constraints=constraints)
    assert len(open_grammars) == len(rows)  # setup once each
    assert max(open_grammars) <= 8
    assert not constraints._states


def test_constrained_sampling_keeps_the_probabilities_of_the_model(kits: dict[tuple[str, str], Kit]) -> None:
    """Among two permitted answers of one token each, they are drawn as the model's own chances say."""
    setup = kits[LLAMA, "bpe"]
    row, spellings = questions(1)[0], TokenSpellings.from_tokenizer(setup.bundle.tokenizer)
    with torch.no_grad():
        logits = setup.model(input_ids=torch.tensor([setup.encoder.prompt(row)])).logits[0, -1]
    single = [t for t in logits.argsort(descending=True).tolist() if (p := spellings.by_id[t]) and len(p) == 1]
    two = single[:2]
    hot = 20.0
    chance = float((logits[two] / hot).softmax(-1)[0])
    assert 0.02 < chance < 0.98
    either_token = Bytes([spellings.by_id[token] or b"" for token in two])
    written, _ = generate_constrained(
        setup, [row] * 600, Decode(max_new_tokens=1, temperature=hot), lambda _: either_token
    )
    assert {ids[0] for ids in written} <= set(two)
    share = sum(ids == [two[0]] for ids in written) / 600
    assert abs(share - chance) < 4 * (chance * (1 - chance) / 600) ** 0.5


# The predictor and its scores


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> domains.Domain:
    """Arithmetic as if its answers were one digit."""
    domain = replace(domains.get("arithmetic"), constrained=True)
    digit = choice("0123456789")
    monkeypatch.setattr(domain.module("prompts"), "constraint", lambda row: Grammar(digit), raising=False)
    return domain


def test_constrained_is_the_default_only_where_the_domain_has_a_grammar(domain: domains.Domain) -> None:
    predictor = Predictor.load(domain, domain.bundled_model())
    rows = [{"instruction": question} for question in ("12 + 30", "9 * 9", "100 - 58")]
    assert predictor.constrained
    answers, counts = predictor.answer_counted(rows)
    assert all(re.fullmatch("[0-9]", answer) for answer in answers)
    assert counts == {TRUNCATED: 0, DEAD_END: 0}
    numbered_rows = [(f"rows:{n}", row) for n, row in enumerate(rows, 1)]
    for batch in (1, 2, 5):
        assert [answer for _, answer in predictor.stream(numbered_rows, batch=batch)] == answers
    free = predictor.with_constraints(False)
    assert not free.constrained
    assert (
        free.answer(rows) == Predictor.load(domains.get("arithmetic"), domain.bundled_model()).answer(rows) != answers
    )
    assert free.with_constraints(True).answer(rows) == answers
    plain = replace(predictor, domain=domains.get("arithmetic"))
    assert not plain.constrained
    with pytest.raises(ZooError, match=r"decode\.constrained: the domain arithmetic has no grammar"):
        plain.with_constraints(True).answer(rows)


def test_the_unconstrained_score_is_reported_beside_the_constrained_one(
    domain: domains.Domain, capsys: pytest.CaptureFixture[str]
) -> None:
    scores, predictions = eval.evaluate(domain, domain.bundled_model(), limit=20, baselines=False)
    assert list(scores["systems"]) == ["model", "unconstrained"]
    results = Results.from_dict(scores)
    assert results.systems["unconstrained"].headline_value().value > results.model.headline_value().value + 0.5
    assert results.best_baseline() is None
    assert "| this model, unconstrained | strict |" in tables.systems_table(results).markdown()
    assert all(re.fullmatch("[0-9]", line["prediction"]) for line in predictions)
    assert scores["paired"]["unconstrained"]["difference"] < 0
    assert set(scores["systems"]["model"]["counts"]) >= {TRUNCATED, DEAD_END}
    assert DEAD_END not in scores["systems"]["unconstrained"]["counts"]
    scores["systems"]["model"]["counts"][DEAD_END] = 3
    printers.scores(scores)
    assert "3 of 20 answers ended where the vocabulary" in capsys.readouterr().out.replace("\n", " ")


def test_a_recipe_can_turn_constrained_decoding_off() -> None:
    assert load("arithmetic/tiny").decode.constrained is None
    assert load("arithmetic/tiny", ["decode.constrained=false"]).decode.constrained is False
