"""Audit: what was recorded is what happened; a third party can check that without trusting us."""
