"""The verbs: each checks access, changes models and emits events."""
