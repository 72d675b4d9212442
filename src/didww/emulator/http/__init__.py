"""The served emulator: the ASGI application, the control API and the server."""
