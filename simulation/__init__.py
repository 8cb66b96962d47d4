"""Retail worlds whose truth is known: customers with latent traits, a delivery layer, and what really happened."""
