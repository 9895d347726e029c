"""Teaching a model: the probe in seconds, the loop for everything else."""
