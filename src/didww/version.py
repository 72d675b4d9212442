"""The package's version and the API version that this line of it speaks."""

__version__ = "3.3.0"
API_VERSION = "2026-04-16"
