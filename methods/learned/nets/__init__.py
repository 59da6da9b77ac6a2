"""The networks' layers, and their weights files."""
