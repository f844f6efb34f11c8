"""Leverage of tables that need not fit into memory, from disk or on a cluster."""
