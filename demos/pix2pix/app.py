"""The pix2pix demo as a Space; on this machine the same as `zoo demo pix2pix`."""

from instructzoo.core import app, infer, ui

pix2pix = app.get("pix2pix")
predictor = infer.load(pix2pix, pix2pix.weights())
ui.launch(pix2pix.module("demo").build(predictor), hosted=True)
