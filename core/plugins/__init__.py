"""The user's own strategies: loading their files, the contract they keep, and the menu of all."""
