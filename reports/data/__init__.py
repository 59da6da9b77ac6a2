"""A run as data frames: results, statistics, comparisons, rankings."""
