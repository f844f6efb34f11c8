"""Is the model better off without its most harmful points?"""
