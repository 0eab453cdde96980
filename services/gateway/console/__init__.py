"""The console: pages for people, made on the server from the same queries and commands as the HTTP door's."""
