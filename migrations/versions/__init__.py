"""0001 the workspace and its users, 0002 sessions and invitations, 0003 rooms, 0004 messages, 0005 their words."""
