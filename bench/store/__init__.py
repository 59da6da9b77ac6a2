"""Results on disk: records, images, the manifest of a run, and the keys they are found by."""
