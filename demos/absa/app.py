"""The absa demo as a Hugging Face Space; locally, `zoo demo absa` opens the same page."""

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui

absa = domains.get("absa")
predictor = infer.open_model(absa, may_fetch=lambda missing: True)
ui.launch(absa.module("demo").build(predictor), hosted=True)
