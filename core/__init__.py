"""Leverage Lab's scientific core: which data points matter, and does the answer survive a change of
representation?
"""
