"""The official scorers of multilingual benchmarks, over a submission on disk.

    predictions, labels -> layout.plan -> measure of each task and language -> Report -> document

- `records`: what a suite is, before any code; `suites` registers them;
- `layout`: which file of a submission belongs to which task and language, and what is missing;
- `lines`, `labels`, `tags`, `questions`: read the official formats and measure;
- `run`: score a submission; its `document` has the official keys and the official scale;
- `words` and `table`: the definitions in words, the figures in the terminal.

The official scripts are followed to the last bit, quirks included, because published numbers were
made with them. Where a script would crash, or print a figure that means nothing, there is an error
that names file and line.
"""
