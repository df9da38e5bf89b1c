"""Captures: named values of a run, saved in safe formats. Ships inside the image."""
