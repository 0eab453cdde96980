"""The plan's rules as data, and the engine that says how each of them stands. Pure."""
