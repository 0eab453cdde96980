"""What every service stands on: deciding, recording, following, viewing, running."""
