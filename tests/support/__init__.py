"""Shared test helpers: fake services, transports, servers, and the facts of the contract."""
