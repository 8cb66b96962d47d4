"""When a message may go: time zones, local wall clocks, spans of moments, and the hours that slots are made of."""
