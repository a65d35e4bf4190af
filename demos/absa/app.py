"""The absa demo as a Hugging Face Space; locally, `zoo demo absa` opens the same page."""

from instructzoo.core import domain as domains
from instructzoo.core import ui
from instructzoo.core.infer import Predictor

absa = domains.get("absa")
predictor = Predictor.load(absa, absa.bundled_model())
ui.launch(absa.module("demo").build(predictor), hosted=True)
