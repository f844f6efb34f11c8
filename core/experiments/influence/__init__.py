"""What would happen with one point more, or one less?"""
