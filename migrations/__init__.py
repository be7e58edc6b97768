"""The schema, step by step: numbered by hand, one subject each."""
