"""Where fusing and scoring happens: in this process, in a subprocess, or on a cluster."""
