"""From texts to tensors: tokens, length-bucketed batches, and an order that can be resumed."""
