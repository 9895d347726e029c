"""How well a model works in each language, how sure we are, and which of two is better.

- `results`: what a model answered in one language, as arrays;
- `scorecard`: build a scorecard from results, write it, read it (`records` are its parts);
- `bootstrap`: intervals, with parallel rows drawn together;
- `compare`: two scorecards, row by row;
- `score`: the official scorers of benchmarks, over predictions on disk;
- `table` and `html`: for the terminal and for the browser (`words`, `markup` and `figures` serve
  them).
"""
