"""The HTTP server of the emulator, the command line and callback receivers: uvicorn, from the extra `emulator`."""
