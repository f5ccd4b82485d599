"""Printed rows -> tidy rows: documents read one by one, what their cells mean, and what to be warned of."""
