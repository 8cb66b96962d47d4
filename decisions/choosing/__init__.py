"""Which candidate, if any: what each is worth at every hour, who is in the running, and the draw in stages."""
