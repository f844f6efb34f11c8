"""The algebra beneath the methods: arrays in, arrays out. It knows no dataset, no job and no
menu.
"""
