"""The public functions: what the command line can do, three lines of Python can do."""
