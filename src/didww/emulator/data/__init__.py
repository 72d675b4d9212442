"""The catalog, call records and export files."""
