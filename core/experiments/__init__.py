"""Experiments: plans of what to train, the trainings themselves, and what their results say."""
