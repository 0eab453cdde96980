"""Gateway: one door over HTTP for people and other systems; it asks the services and keeps nothing."""
