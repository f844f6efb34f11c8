"""Images: what their folders and tables say of them, and their values at one size."""
