"""The arithmetic demo as a Hugging Face Space; run locally, it is `zoo demo arithmetic`."""

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui

arithmetic = domains.get("arithmetic")
predictor = infer.open_model(arithmetic)
ui.launch(arithmetic.module("demo").build(predictor), hosted=True)
