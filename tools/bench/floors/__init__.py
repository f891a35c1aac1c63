"""The least that a figure could be here and now: the same work with nothing of ours in it."""
