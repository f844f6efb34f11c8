"""Which strategy needs the fewest labels?"""
