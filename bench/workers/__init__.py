"""Workers: they fuse and score in this process, in a subprocess or on a cluster."""
