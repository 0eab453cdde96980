"""One folder per service. A service may read another's published language, and nothing else of it."""
