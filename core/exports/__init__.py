"""What leaves the app as a file, and comes back: tables of scores, figures, names of rankings."""
