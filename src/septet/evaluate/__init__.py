"""Stage 5: numbers that a release can hang on, each with its interval and its items."""
