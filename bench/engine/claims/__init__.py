"""Published numbers: which variant of a metric, on which form of the images, gives them."""
