"""How near a world lies to the public log that it is matched to."""
