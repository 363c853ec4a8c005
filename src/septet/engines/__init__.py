"""Where steps run: in this process, or in a process of their own."""
