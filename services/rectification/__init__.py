"""Rectification: an issue is owned, put right, checked by somebody else, struck off, and judged."""
