"""The demo of information extraction as a Space; on this machine the same as `zoo demo uie`."""

from instructzoo.core import app, ui
from instructzoo.core.infer import Predictor

uie = app.get("uie")
predictor = Predictor.load(uie, uie.weights())
ui.launch(uie.module("demo").build(predictor), hosted=True)
