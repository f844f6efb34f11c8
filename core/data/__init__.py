"""Where points come from: bundled, published, simulated or the user's own; and their parts."""
