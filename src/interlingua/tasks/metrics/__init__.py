"""Metrics as pure functions.

- `classification`: a figure from gold labels, predictions and probabilities;
- `spans`: a tagger's precision, recall and F1;
- `answers`: a reader's exact match and token F1;
- `ranking`: MRR, MAP, nDCG, precision and recall of a search;
- `mining`: pairs of translations that were found;
- `translation` and `rouge`: generated text (`segmentation` cuts any script);
- `resampled`: figures of many resamples at once, for bootstrap intervals.

Where official scorers define a figure, its function follows them to the last bit, quirks included,
and says so; what we hold to be better has another name.

Legend of shapes: ``N`` rows, ``C`` classes, ``R`` resamples.
"""
