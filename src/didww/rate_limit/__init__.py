"""Limiters of requests per second, for one process and for several."""
