"""Demo: a whole campaign of an invented school, played through the HTTP door."""
