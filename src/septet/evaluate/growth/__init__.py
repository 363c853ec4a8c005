"""Banks of items that grow: calibrated, linked from version to version, and rid of what no longer measures."""
