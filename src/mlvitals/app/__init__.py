"""The composition root: from a configuration to a running pipeline, or to what is wrong with it."""
