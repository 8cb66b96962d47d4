"""Reserved places: the state they are decided on, how one is taken, confirmed and freed."""
