"""Which labels are worth buying for a least-squares fit?"""
