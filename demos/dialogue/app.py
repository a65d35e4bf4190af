"""The dialogue demo as a Space; on this machine the same as `zoo demo dialogue`."""

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui

domain = domains.get("dialogue")
predictor = infer.open_model(domain)
ui.launch(domain.module("demo").build(predictor), hosted=True)
