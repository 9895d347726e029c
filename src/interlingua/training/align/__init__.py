"""Alignment: the languages of an encoder drawn together, by contrast and other objectives.

- `settings`: the recipe; `given`: the files, model and rows that it names; `data`: rows as drawn;
- `objectives`: contrastive ones over rows; `guesses`: those on tokens;
- `learner`: a step of training, gradients cached; `build`: the learner of a recipe;
- `run`: from a recipe to a model folder.
"""
