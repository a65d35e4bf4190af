"""InstructDial's checkpoints: opened by name, asked in InstructDial's tokens. Stand-ins share their layout alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_backbones import BART, saved

from instructzoo.core import domain as domains
from instructzoo.core import infer
from instructzoo.core import recipe as recipes
from instructzoo.core.commands import eval as evaluation
from instructzoo.core.infer import Predictor
from instructzoo.core.models import tokenizers
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Example
from instructzoo.dialogue.tasks import INSTRUCTDIAL

DIALOGUE = domains.get("dialogue")
PUBLISHED = {model.name: model for model in DIALOGUE.models if model.kind == "published"}
LAYOUTS = {
    "dial-bart0": ("Bart", BART | {"decoder_start_token_id": 1}),
    "dial-t0": ("T5", {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 1, "num_heads": 2,
                       "decoder_start_token_id": 0}),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    fields = (("CONTEXT", "Hello"), ("RESPONSE", "Bye"))
    examples = [
        Example("act_classification", fields, "bye", ("greet", "bye")),
        Example("intent_classification", fields, "leave", ("leave", "order")),
        Example("belief_state_generation", fields[:1], "day: noon", ("day", "city")),
    ]
    return [make_row(example, "made up", "made up", "Apache-2.0") for example in examples]


@pytest.fixture(scope="module", params=LAYOUTS)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, rows: Any) -> str:
    """NAME=FOLDER of a small model of the family."""
    family, settings = LAYOUTS[request.param]
    prompts = [DIALOGUE.prompts("instructdial").render(row)[0].text for row in rows]
    folder: Path = tmp_path_factory.mktemp("models") / request.param
    saved(family, tokenizers.train_tokenizer("bpe", prompts, 700), folder, **settings)
    return f"{request.param}={folder}"


def test_every_checkpoint_has_a_recipe_in_its_own_prompts_and_a_pinned_revision() -> None:
    assert set(PUBLISHED) == {"dial-bart0", "dial-t0", "dial-flant5-xl"}
    for name, model in PUBLISHED.items():
        settings = recipes.load(f"dialogue/{name}")
        assert (settings.model.backbone, settings.model.dialect) == (model.repository, "instructdial")
        assert not settings.evaluate.baselines
        assert len(model.revision) == 40 and int(model.revision, 16)


def test_a_checkpoint_is_asked_in_instructdials_prompts(checkpoint: str, rows: Any) -> None:
    predictor: Predictor = infer.open_model(DIALOGUE, checkpoint)
    assert predictor.loaded.kind == "seq2seq" and not predictor.constrained
    tokenizer = predictor.loaded.tokenizer
    for row in rows:
        asked = tokenizer.decode(predictor.encoder().prompt(row))
        assert f"Instruction: {row['instruction']}\nInput: [CONTEXT] Hello" in asked
    assert "[OPTIONS] 0: greet||||1: bye [QUESTION]" in tokenizer.decode(predictor.encoder().prompt(rows[0]))
    assert all(isinstance(answer, str) for answer in predictor.answer(rows[:1]))


def test_its_answers_are_scored_in_the_domains_own_format(
    checkpoint: str, rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = ["1", "leave", "day : noon"]
    monkeypatch.setattr(Predictor, "answer_counted", lambda self, rows, on_answered=None: (answers, {}))
    scores = evaluation.eval("dialogue", model=checkpoint, rows=str(file), quiet=True)
    assert scores["n"] == len(rows)
    figures = scores["systems"]["model"]["figures"]
    values = {figure["metric"]: figure["value"] for figure in figures}
    assert values["accuracy"] == values["joint goal accuracy"] == 1
    assert values["out-of-label answers"] == 0


@pytest.mark.parametrize("name", ["paper", "paper-bart0"])
def test_the_papers_recipes_train_36_task_types_and_test_six_others(name: str) -> None:
    options = recipes.load(f"dialogue/{name}").data.options
    tested, kin = set(options["zero_shot"]["tasks"]), set(options["zero_shot"]["kin"])
    trained = set(options["tasks"]) - tested
    assert (len(trained), len(tested), len(kin)) == (36, 6, 6)
    assert trained | tested | kin == set(INSTRUCTDIAL)
