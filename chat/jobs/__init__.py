"""Work that nobody asks for: what the clock starts."""
