"""Releases: what the ledger and the store hold of them, gate by gate; and those that were refused."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from septet.console.view import View
from septet.core.errors import StoreError
from septet.core.lineage import table_of
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.kinds import Measure, Release, Report
from septet.operate import publish

PORTS = ("model", "knowledge", "policy")


class ReleaseView(msgspec.Struct, frozen=True):
    """One entry of a release in the ledger. `record` is None where the store no longer holds it."""

    name: str
    fingerprint: str
    time: str
    signed: bool
    record: Record | None
    content: dict[str, Any]

    @property
    def gates(self) -> list[dict[str, Any]]:
        return list(self.content.get("gates", ()))

    @property
    def green(self) -> int:
        return sum(1 for gate in self.gates if gate["green"])


def all_releases(workspace: Workspace) -> list[ReleaseView]:
    """Every release that was published, newest first, each fingerprint once."""
    found: dict[str, ReleaseView] = {}
    for entry, body in workspace.ledger.bodies(workspace.ledger.entries("release")):
        record = workspace.store.find(str(body["step"]), str(body["fingerprint"]))
        content = Release(workspace.store.folder(record)).content if record is not None else {}
        found.pop(str(body["fingerprint"]), None)
        found[str(body["fingerprint"])] = ReleaseView(
            str(body["name"]), str(body["fingerprint"]), entry.time, not publish.check(body), record, content
        )
    return list(reversed(found.values()))


def routes(workspace: Workspace, view: View) -> list[Route]:
    """The list of releases, and one release with its gates, reports and parts."""

    def listed(request: Request) -> Response:
        refused = [
            {"time": entry.time, "recipe": entry.subject, "reason": body.get("reason", "")}
            for entry, body in workspace.ledger.bodies(workspace.ledger.entries("release_refused"))
        ]
        values = {"releases": all_releases(workspace), "refused": refused[::-1]}
        return view.page(request, "releases.html", values)

    def page(request: Request) -> Response:
        wanted = request.path_params["release"]
        every = all_releases(workspace)
        release = next((one for one in every if wanted in (one.fingerprint, one.name)), None)
        if release is None:
            raise HTTPException(404)
        values = {"release": release, "parts_of": _parts(workspace, release), "reports": _reports(workspace, release)}
        return view.page(request, "release.html", values)

    return [Route("/releases", listed), Route("/releases/{release}", page)]


def _parts(workspace: Workspace, release: ReleaseView) -> list[dict[str, Any]]:
    if release.record is None:
        return []
    found: list[dict[str, Any]] = []
    for port in PORTS:
        fingerprint = str(release.record.inputs[port])
        try:
            record = workspace.store.get(fingerprint)
        except StoreError:
            found.append({"port": port, "fingerprint": fingerprint, "name": "", "record": None})
            continue
        found.append({"port": port, "fingerprint": fingerprint, "name": table_of(workspace, record), "record": record})
    return found


def _reports(workspace: Workspace, release: ReleaseView) -> list[dict[str, Any]]:
    """The release's reports with their measures. The release keeps the numbers itself; the items are the report's."""
    if release.record is None:
        return []
    tied = release.record.inputs.get("reports", [])
    found = []
    for fingerprint in [tied] if isinstance(tied, str) else tied:
        try:
            folder = workspace.store.folder(workspace.store.get(fingerprint))
        except StoreError:
            continue
        report = Report(folder)
        found.append(
            {"fingerprint": fingerprint, "name": report.name, "measures": report.summary(), "notes": notes(report)}
        )
    kept = {one["name"] for one in found}
    for one in release.content.get("reports", ()):
        if one["name"] not in kept:
            measures = msgspec.convert(one["summary"], dict[str, Measure])
            found.append({"fingerprint": "", "name": one["name"], "measures": measures, "notes": []})
    return found


def notes(report: Report) -> list[str]:
    return [str(note) for note in report.content.get("notes", ())]
