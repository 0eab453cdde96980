"""The rules of rectification, a module per kind of stream."""
