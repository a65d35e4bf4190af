"""The demo of dialogue as a Hugging Face Space; it is the same as `zoo demo dialogue`."""

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui

dialogue = domains.get("dialogue")
predictor = infer.open_model(dialogue, may_fetch=lambda missing: True)
ui.launch(dialogue.module("demo").build(predictor), hosted=True)
