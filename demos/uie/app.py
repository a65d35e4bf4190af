"""The demo of information extraction as a Hugging Face Space; it is the same as `zoo demo uie`."""

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui

uie = domains.get("uie")
predictor = infer.open_model(uie, may_fetch=lambda missing: True)
ui.launch(uie.module("demo").build(predictor), hosted=True)
