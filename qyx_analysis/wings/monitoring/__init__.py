"""Actual values: forms, reading, judging, figures, texts, briefings."""
