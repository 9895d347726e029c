"""Benchmarks of several tasks: what can be run here, run it, and put it beside published figures.

    data folders -> plan.plan -> run.run (teaching by a callback) -> records -> report

- `records`: the tasks of XTREME, XGLUE and MLQA, before any code;
- `plan`: which files, languages and rows are there, and what is missing, before anything runs;
- `run`: one folder a task, with a manifest by which a finished task is recognised;
- `published`: averages of known models with their sources, and when they may be compared;
- `report`: the same tables for a browser and for a terminal.
"""
