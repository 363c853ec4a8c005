"""The seven sides from which HELM (Liang et al., 2022, arXiv 2211.09110, section 4) looks at a model, each from a score's rows.

A file measures one side and knows nothing of the others: rows in, `found.Found` out. `evaluate.holistic` puts them together.
"""
