"""Ways to run a model, behind one protocol, and the only prediction loop."""
