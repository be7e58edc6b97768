"""Roomful: a team chat that one command starts and one process serves."""

__version__ = "0.1.0"
