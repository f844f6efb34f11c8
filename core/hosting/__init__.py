"""The hosted demo: what may its visitors ask for, and what may they read of an error?"""
