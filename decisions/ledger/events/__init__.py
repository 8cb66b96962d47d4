"""What happened: how events come in, what each changes, and how they go on to the lake."""
