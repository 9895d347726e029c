"""One objective, one file: pure functions on arrays and tensors."""
