"""The rules of talks, a module per kind of stream."""
