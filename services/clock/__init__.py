"""Clock: the one writer of timers; what fires becomes a command to the service that asked for it."""
