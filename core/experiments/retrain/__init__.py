"""Does training on a selection help?"""
