"""Tests of a user's methods and metrics, of scores against a baseline, of the environment."""
