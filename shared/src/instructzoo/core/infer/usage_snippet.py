"""Code that asks an exported text model with transformers alone, for the README beside it.

from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
...
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from instructzoo.core.record import Row

CLASSES = {"causal": "AutoModelForCausalLM", "seq2seq": "AutoModelForSeq2SeqLM"}
"""The class of transformers that opens a model, by its kind."""


def prompt_text(predictor: Any, row: Row) -> str:
    """What a model reads of a row, as text; with a chat template, the text that the template makes of it.

    Args:
        predictor: The predictor.
        row: The row.

    Returns:
        The prompt. Its tokens, special ones among them, are those that the predictor reads.
    """
    encoder = predictor.encoder()
    ids, tokenizer = encoder.prompt(row), predictor.loaded.tokenizer
    segments = takewhile(lambda segment: not segment.supervised, encoder.prompts.render(row, encoder.seed))
    plain = "".join(segment.text for segment in segments)
    decoded = str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))
    for text in (plain, f"{plain}{tokenizer.eos_token}", decoded):
        if _reads(tokenizer, text, ids):
            return text
    return decoded


def usage_snippet(predictor: Any, row: Row, folder: Path) -> str:
    """Python code that opens an exported model in the working directory and asks it one question.

    Args:
        predictor: A predictor with the exported model.
        row: The question.
        folder: The folder of the exported model, for a model that needs files beside it; a text model does not.

    Returns:
        The code. It imports transformers and nothing of instructzoo, and prints the answer.
    """
    decode, kind, tokenizer = predictor.recipe.decode, predictor.loaded.kind, predictor.loaded.tokenizer
    model_class, text, ids = CLASSES[kind], prompt_text(predictor, row), predictor.encoder().prompt(row)
    if _reads(tokenizer, text, ids):
        question = f'tokenizer({text!r}, add_special_tokens=False, return_tensors="pt").input_ids'
        imports = ""
    else:  # a text that spells out control tokens: its tokens are given
        question, imports = f"torch.tensor([{ids}])", "import torch\n"
    sampling = "do_sample=False"
    if decode.temperature:
        sampling = f"do_sample=True, temperature={decode.temperature}, top_p={decode.top_p}, top_k=0"
    answer = "output[0, input_ids.shape[1] :]" if kind == "causal" else "output[0]"
    return f"""{imports}from transformers import {model_class}, AutoTokenizer

folder = "."  # where this file is
tokenizer = AutoTokenizer.from_pretrained(folder)
model = {model_class}.from_pretrained(folder, dtype="{predictor.recipe.model.weights}")
input_ids = {question}
output = model.generate(input_ids, max_new_tokens={decode.max_new_tokens}, {sampling})
print(tokenizer.decode({answer}, skip_special_tokens=True))
"""


def printed_same(predictor: Any, printed: str, answer: str, folder: Path) -> bool:
    """Whether what the code printed is the predictor's answer.

    Args:
        predictor: The predictor.
        printed: The text on standard output.
        answer: The answer, unconstrained.
        folder: The folder of the exported model; texts need no file of it.
    """
    return printed.rstrip("\n") == answer.rstrip("\n")


def _reads(tokenizer: Any, text: str, ids: Sequence[int]) -> bool:
    """Whether a text without added special tokens is read as these tokens."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"]) == list(ids)
