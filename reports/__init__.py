"""Reports of a finished run: data frames, tables, figures and an HTML page."""
