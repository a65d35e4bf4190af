"""The prompt formats of published checkpoints of aspect-based sentiment analysis."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from transformers import T5Tokenizer

from instructzoo.absa import prompts, world
from instructzoo.absa.prompts import Answer
from instructzoo.absa.prompts.dialects import instructabsa_ate, instructabsa_joint
from instructzoo.absa.schema import Quad
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid
from instructzoo.core.text import Encoder

DIALECTS = [instructabsa_ate, instructabsa_joint]
REVIEW = "Steak, rare: perfect, and the waiter , sadly , was rude."


def target_of(dialect: ModuleType, row: dict[str, Any]) -> str:
    question, target = dialect.render(row)
    assert (question.supervised, target.supervised) == (False, True)
    return str(target.text)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_dialect_writes_it_reads_back_but_for_opinions_on_no_term(dialect: ModuleType) -> None:
    rows = list(world.generate(300, 3, "train", world.Settings(tasks=(dialect.DEFAULT_TASK,))))
    sentiments, empty, implicit = set[str | None](), 0, 0
    for row in rows:
        own = prompts.parse(row["output"], row)
        assert isinstance(own, Answer)
        named = tuple(quad for quad in own.quads if quad.aspect is not None)
        answer = dialect.parse(target_of(dialect, row), row)
        assert answer == Answer(named), row
        assert dialect.rewrite(target_of(dialect, row), row) == prompts.format_answer(named, dialect.DEFAULT_TASK)
        sentiments |= {quad.sentiment for quad in named}
        empty, implicit = empty + (not named), implicit + (named != own.quads)
    assert sentiments == ({None} if dialect is instructabsa_ate else {"positive", "negative", "neutral"})
    assert empty and implicit


def test_terms_with_commas_and_colons_are_kept_whole_where_the_review_has_them() -> None:
    quads = [Quad("Steak, rare: perfect", sentiment="positive"), Quad("waiter", sentiment="negative")]
    row = prompts.make_row(REVIEW, quads, "aesc", 0)
    assert target_of(instructabsa_joint, row) == " Steak, rare: perfect:positive, waiter:negative"
    assert instructabsa_joint.parse(target_of(instructabsa_joint, row), row) == Answer(tuple(quads))
    listed = {"input": "It has wine, beer, cider."}
    assert instructabsa_ate.parse("wine, beer, cider", listed) == Answer((Quad("wine"), Quad("beer"), Quad("cider")))


def test_the_prompts_are_those_of_the_authors_notebook() -> None:
    joint = " ".join(instructabsa_joint.render({"input": "The cab ride was amazing."})[0].text.split())
    assert joint.startswith("Definition: The output will be the aspects (both implicit and explicit) and the aspects")
    assert "good battery life. output: battery life:positive, Positive example 2- input: I even got" in joint
    assert "virus scan. output: virus scan:neutral Now complete the following example- input: The cab ride" in joint
    assert joint.endswith("amazing. output:")
    terms = " ".join(instructabsa_ate.render({"input": "x"})[0].text.split())
    assert "good battery life. output: battery life Positive example 2-" in terms
    assert "output: features, iChat, Photobooth, garage band Negative example 1-" in terms


def test_the_tokenizer_of_t5_makes_the_tokens_of_the_authors_indented_text_of_a_prompt() -> None:
    letters = sorted(
        set("".join(f"{d.DEFINITION}{instructabsa_joint.render({'input': ''})[0].text}" for d in DIALECTS))
    )
    vocabulary = [(piece, 0.0) for piece in ("<pad>", "</s>", "<unk>", "▁", *letters)]
    tokenizer = T5Tokenizer(vocab=vocabulary, extra_ids=0)
    for dialect in DIALECTS:
        encoder = Encoder(tokenizer, dialect, "seq2seq", 4_000)
        (question, _) = dialect.render({"input": "Great food."})
        indented = question.text.replace("\n", " \n        ")
        assert encoder.prompt({"input": "Great food."}) == tokenizer(indented)["input_ids"]


@pytest.mark.parametrize(
    ("dialect", "text", "own"),
    [
        (instructabsa_joint, "cab ride:positive, service:negative", "cab ride is great [SSEP] service is bad"),
        (instructabsa_joint, " noaspectterm:none", "nothing"),
        (instructabsa_joint, "battery life:positive, ", "battery life is great"),
        (instructabsa_joint, "it:neutral", '"it" is ok'),
        (instructabsa_joint, "food:conflict, bar:positive", "bar is great"),
        (instructabsa_joint, "food", None),
        (instructabsa_joint, "food:lovely", None),
        (instructabsa_joint, "", None),
        (instructabsa_ate, "cab ride, service", "cab ride [SSEP] service"),
        (instructabsa_ate, "noaspectterm", "nothing"),
        (instructabsa_ate, "food,, bar", None),
    ],
)  # fmt: skip
def test_answers_of_the_checkpoints_are_rewritten_in_the_own_format(
    dialect: ModuleType, text: str, own: str | None
) -> None:
    row = {"input": "The cab ride was amazing but the service was pricey."}
    assert dialect.rewrite(text, row) == (own or "")
    assert isinstance(dialect.parse(text, row), Invalid) == (own is None)


def test_a_question_of_another_task_is_an_error_that_names_the_task_of_the_checkpoint() -> None:
    with pytest.raises(ZooError, match="a question of the task asqp; expected aesc, the only one of this model"):
        instructabsa_joint.render({"input": "x", "task": "asqp"})
    with pytest.raises(ZooError, match='the output "great"'):
        instructabsa_joint.render({"input": "x", "task": "aesc", "output": "great"})
