"""How the app is served: by which names, to whom, how much to each, and whose turn it is."""
