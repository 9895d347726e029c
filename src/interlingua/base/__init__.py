"""What every room stands on: errors, settings, registries, files, seeds and progress."""
