"""Oversight: what the plan asks of whom by when, what is still missing, and what does not add up."""
