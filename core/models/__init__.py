"""Networks and what is learned with them: training, bundled networks, ensembles, records, maps."""
