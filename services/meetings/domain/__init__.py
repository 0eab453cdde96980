"""The rules of meetings, a module per kind of stream."""
