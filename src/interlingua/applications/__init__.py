"""What a person asks for: text in, plain records out, a batch at a time."""
