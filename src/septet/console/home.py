"""The first page: the seven stages and what they made, the release that stands, what was run and asked last."""

from __future__ import annotations

from collections import Counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from septet.console.answers import newest
from septet.console.releases import all_releases
from septet.console.runs import Runs
from septet.console.view import View
from septet.core.workspace import Workspace

STAGES = ("data", "model", "train", "compress", "evaluate", "operate", "trust")


def routes(workspace: Workspace, view: View) -> list[Route]:
    """The overview."""
    runs = Runs(workspace.runs)

    def page(request: Request) -> Response:
        records = workspace.store.records()
        stages = Counter(record.step.partition(".")[0] for record in records)
        entries = workspace.ledger.entries()
        values = {
            "workspace": workspace.root,
            "stages": [(stage, stages[stage]) for stage in STAGES],
            "bytes": sum(record.bytes for record in records),
            "artifacts": len(records),
            "release": next(iter(all_releases(workspace)), None),
            "runs": runs.all()[:4],
            "answers": newest(workspace, 5),
            "entries": len(entries),
            "head": entries[-1] if entries else None,
        }
        return view.page(request, "home.html", values)

    return [Route("/", page)]
