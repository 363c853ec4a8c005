"""A sweep is a for loop over inert nodes: three thresholds of near-duplicate removal, side by side.

python examples/sweep.py FOLDER_OF_DOCUMENTS
"""

import sys
from pathlib import Path

from septet.core import Node, Recipe
from septet.core.runner import Runner
from septet.core.workspace import Workspace, find
from septet.data.steps import Deduplicate, Read
from septet.kinds import Corpus


def sweep(folder: str, workspace: Workspace) -> dict[str, int]:
    """Documents left at each threshold. Reading is done once; run again, nothing is done at all."""
    documents = Node(Read(paths=(folder,), licence="unknown", origin="private"), name="documents")
    thresholds = (0.6, 0.8, 0.95)
    nodes = [Node(Deduplicate(similarity=one), {"corpus": documents}, f"unique-{one}") for one in thresholds]
    records = Runner(workspace).run(Recipe(nodes, "sweep"))
    return {node.name: Corpus(workspace.store.folder(records[node.name])).count() for node in nodes}


if __name__ == "__main__":
    with Workspace(find()) as opened:
        for name, count in sweep(str(Path(sys.argv[1]).absolute()), opened).items():
            print(f"{name}: {count} documents")
