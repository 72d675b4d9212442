"""Perform the effects of calls, synchronously or asynchronously; logging, hooks and tracing."""
