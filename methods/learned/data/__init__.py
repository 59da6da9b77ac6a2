"""Training pairs: scenes, masks, pools and batches."""
