"""Meetings: people meet, examine themselves, criticise each other, settle what to do, and report."""
