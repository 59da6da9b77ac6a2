"""Training: recipes, the trainer, checkpoints and records."""
