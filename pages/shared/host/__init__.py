"""Strangers share a server: who they are, how much each may do, and whose turn it is."""
