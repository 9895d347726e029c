"""Metrics as pure functions of NumPy arrays.

- `classification`: a figure from gold labels, predictions and probabilities;
- `resampled`: the same figure for many resamples at once, for bootstrap intervals.

Legend of shapes: ``N`` rows, ``C`` classes, ``R`` resamples.
"""
