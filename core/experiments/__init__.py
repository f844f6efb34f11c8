"""Experiments: plans of what to compute, the machinery that runs them, and what the results say."""
