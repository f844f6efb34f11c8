"""When does BAIT's weighing pay?"""
