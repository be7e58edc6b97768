"""The commands, by noun: what each takes, what it costs, which action it calls."""
