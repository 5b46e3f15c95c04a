"""Losses as duality sees them: conjugates, and what a dual point is worth."""
