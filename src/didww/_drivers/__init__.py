"""Carry out the effects of a call, synchronously and asynchronously; logging, hooks and tracing."""
