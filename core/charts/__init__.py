"""Arrays -> Altair charts, one function per question."""
