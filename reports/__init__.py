"""Reports: tables made from a finished run's manifest and nothing else."""
