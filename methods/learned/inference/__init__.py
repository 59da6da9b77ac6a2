"""Trained networks at work: devices, number formats, tiles, decision maps."""
