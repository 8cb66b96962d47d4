"""Who lives in a world: latent traits and habits."""
