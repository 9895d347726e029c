"""Documents, rows and sentence pairs: reading, cleaning and sampling. Torch-free."""
