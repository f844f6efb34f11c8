"""Networks and what is learned with them: training, shipped networks, ensembles, records, maps."""
