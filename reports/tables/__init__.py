"""Tables of a run: CSV, Markdown and LaTeX."""
