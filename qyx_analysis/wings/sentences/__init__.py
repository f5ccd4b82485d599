"""Targets in prose: reading, governance, contradictions with the table, and the city's plan."""
