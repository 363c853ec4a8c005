"""Stage 1: from raw sources to audited, deduplicated, private, packed data and a knowledge base."""
