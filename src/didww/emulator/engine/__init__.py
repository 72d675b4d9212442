"""A request in, a response out: JSON:API by the declarations, over SQLite."""
