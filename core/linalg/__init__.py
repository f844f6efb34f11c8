"""The algebra beneath the methods: arrays in, arrays out. It knows no dataset and no menu."""
