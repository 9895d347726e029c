"""Models in the Hugging Face layout: opened, encoded with, given a head, saved and fetched."""
