"""Steps of this stage."""
