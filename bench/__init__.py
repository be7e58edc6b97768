"""Load tests that a reader can run, with the peers they compare against: see README.md."""
