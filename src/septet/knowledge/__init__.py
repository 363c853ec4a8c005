"""The knowledge base: documents cut into chunks that keep their spans, indexed as text and as vectors, searched by both."""
