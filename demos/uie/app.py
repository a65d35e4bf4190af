"""The demo of information extraction as a Hugging Face Space; it is the same as `zoo demo uie`."""

from instructzoo.core import domain as domains
from instructzoo.core import ui
from instructzoo.core.infer import Predictor

uie = domains.get("uie")
predictor = Predictor.load(uie, uie.bundled_model())
ui.launch(uie.module("demo").build(predictor), hosted=True)
