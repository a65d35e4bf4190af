"""The absa demo as a Space; on this machine the same as `zoo demo absa`."""

from instructzoo.core import app, ui
from instructzoo.core.infer import Predictor

absa = app.get("absa")
predictor = Predictor.load(absa, absa.weights())
ui.launch(absa.module("demo").build(predictor), hosted=True)
