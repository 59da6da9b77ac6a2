"""The model cards."""
