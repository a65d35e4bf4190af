"""Published and custom data sets: where their files are, how they are read, and the few-shot sampler."""
