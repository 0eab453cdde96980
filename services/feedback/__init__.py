"""Feedback: somebody says something, and it is heard."""
