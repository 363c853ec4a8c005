"""The gateway: a release behind an OpenAI-compatible endpoint."""
