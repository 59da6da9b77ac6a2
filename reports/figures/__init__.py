"""Figures of a run: PNG and PDF."""
