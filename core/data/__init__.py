"""Where points come from: what is bundled, published, simulated or the user's own, and their
parts.
"""
