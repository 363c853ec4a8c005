"""Artifacts: the records of the store, one page each, and the check that all is as it was sealed."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from septet.console.items import shown
from septet.console.releases import notes
from septet.console.view import View
from septet.core import lineage
from septet.core.errors import StoreError
from septet.core.ledger import Problem
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.kinds import Report
from septet.operate import publish

_MOST_FILES = 50


def routes(workspace: Workspace, view: View) -> list[Route]:
    """The list of artifacts, one artifact, and the two checks: of one and what it stands on, of everything."""

    def listed(request: Request) -> Response:
        names = {str(body["fingerprint"]): name for name, body in sorted(workspace.names().items())}
        records = workspace.store.records()[::-1]
        kind = request.query_params.get("kind", "")
        kinds = sorted({record.kind for record in records})
        shown = [record for record in records if kind in ("", record.kind)]
        values = {"records": shown, "names": names, "kinds": kinds, "kind": kind}
        return view.page(request, "artifacts.html", values)

    def found(request: Request) -> Record:
        try:
            return workspace.store.get(request.path_params["artifact"])
        except StoreError:
            raise HTTPException(404) from None

    def page(request: Request) -> Response:
        record = found(request)
        if request.path_params["artifact"] != record.fingerprint:
            return RedirectResponse(f"/artifacts/{record.fingerprint}", 303)
        return view.page(request, "artifact.html", _about(workspace, record))

    def verify(request: Request) -> Response:
        record = found(request)
        chain = lineage.ancestors(workspace, record)
        problems = _problems(workspace, chain)
        values = {"checked": len(chain), "bytes": sum(one.bytes for one in chain), "problems": problems}
        return view.page(request, "artifact.html", {**_about(workspace, record), "check": values})

    def verify_all(request: Request) -> Response:
        records = workspace.store.records()
        values = {
            "checked": len(records),
            "bytes": sum(record.bytes for record in records),
            "problems": _problems(workspace, None),
        }
        return view.page(request, "verified.html", {"check": values, "entries": len(workspace.ledger.entries())})

    return [
        Route("/artifacts", listed),
        Route("/artifacts/{artifact}", page),
        Route("/artifacts/{artifact}/verify", verify, methods=["POST"]),
        Route("/verify", verify_all, methods=["POST"]),
    ]


def _problems(workspace: Workspace, records: list[Record] | None) -> list[Problem]:
    return [*lineage.verify(workspace, records), *publish.verify_signatures(workspace)]


def _about(workspace: Workspace, record: Record) -> dict[str, Any]:
    folder = workspace.store.folder(record)
    parents = []
    for port, tied in record.inputs.items():
        for fingerprint in [tied] if isinstance(tied, str) else tied:
            parents.append((port, fingerprint, _name(workspace, fingerprint)))
    children = [one for one in workspace.store.records() if record.fingerprint in one.parents()]
    report = Report(folder) if record.kind == "Report" else None
    items, num_items = shown(report) if report is not None else ([], 0)
    return {
        "record": record,
        "folder": folder,
        "name": lineage.table_of(workspace, record),
        "parents": parents,
        "children": [(one, lineage.table_of(workspace, one)) for one in children],
        "files": sorted(record.files.items())[:_MOST_FILES],
        "more_files": max(0, len(record.files) - _MOST_FILES),
        "measures": report.summary() if report is not None else {},
        "report_notes": notes(report) if report is not None else [],
        "items": items,
        "num_items": num_items,
        "check": None,
    }


def _name(workspace: Workspace, fingerprint: str) -> str:
    for name, body in workspace.names().items():
        if body["fingerprint"] == fingerprint:
            return name
    return ""
