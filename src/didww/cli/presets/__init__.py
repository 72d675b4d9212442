"""Presets of inbound trunks for platforms, as data: what a platform needs, where that was read, and how sure it is."""
