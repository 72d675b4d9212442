"""Receive the HTTP callbacks and call events that DIDWW sends to your server."""
