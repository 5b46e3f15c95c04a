"""The objective on canonical rows: the only thing that a solver sees."""
