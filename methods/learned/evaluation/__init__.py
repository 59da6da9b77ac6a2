"""How fast the trained networks run."""
