"""Training: models, optimisers, the loop, saving, and how sure a measured accuracy is."""
