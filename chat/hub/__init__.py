"""Who is connected and who listens, in memory: no SQL, no Tornado."""
