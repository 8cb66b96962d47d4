"""The HTTP face: a BentoML service with one FastAPI application."""
