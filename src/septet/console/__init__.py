"""The web console: pages over records, ledger and events, rendered on the server, in Chinese and English."""
