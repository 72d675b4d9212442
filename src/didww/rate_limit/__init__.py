"""Rate limiters for one process, several processes, and several hosts."""
