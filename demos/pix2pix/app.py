"""The pix2pix demo as a Hugging Face Space; run locally it is the same as `zoo demo pix2pix`."""

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui

pix2pix = domains.get("pix2pix")
predictor = infer.open_model(pix2pix)
ui.launch(pix2pix.module("demo").build(predictor), hosted=True)
