"""The arithmetic demo as a Hugging Face Space; run locally, it is `zoo demo arithmetic`."""

from instructzoo.core import domain as domains
from instructzoo.core import ui
from instructzoo.core.infer import Predictor

arithmetic = domains.get("arithmetic")
predictor = Predictor.load(arithmetic, arithmetic.bundled_model())
ui.launch(arithmetic.module("demo").build(predictor), hosted=True)
