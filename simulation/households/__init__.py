"""A world laid over real households: purchases are real, messages and reactions simulated."""
