"""The bridge report: how well a model joins languages, on one page.

- `records`: what the report is made of, and what each measure is called;
- `measure`: vectors to figures with the replicates of a bootstrap;
- `run`: a model and parallel data to a report; `report`: replicates to intervals and differences;
- `page` and `table`: for the browser and for the terminal.
"""
