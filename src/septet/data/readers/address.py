"""A page by its address: fetched once, within bounds, and read by the format that its bytes and its type say.

Only addresses that a recipe names are fetched. A redirect may lead elsewhere on the web, not to files or other schemes.
"""

from __future__ import annotations

import http.client
import io
import urllib.error
import urllib.request
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

from septet.core.fingerprint import digest
from septet.data.readers.file import MAX_WHOLE, File
from septet.data.readers.row import Told

_SECONDS = 30
_AGENT = "septet"


class Page(NamedTuple):
    """What an address gave: its bytes, or the reason why there are none."""

    address: str
    data: bytes | None
    kind: str
    reason: str

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def digest(self) -> str:
        return digest(self.data) if self.data is not None else ""

    def file(self, told: Told) -> File:
        assert self.data is not None
        name = PurePosixPath(urlsplit(self.address).path).name or self.host
        return File(name, told, stream=io.BytesIO(self.data), size=len(self.data), kind=self.kind)


def is_address(path: str) -> bool:
    return path.startswith(("http://", "https://"))


def fetch(address: str) -> Page:
    """The page at an address. What cannot be had is a reason, not an error: one page does not stop the others."""
    request = urllib.request.Request(address, headers={"user-agent": _AGENT})  # noqa: S310, is_address was asked
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            data = answer.read(MAX_WHOLE + 1)
            kind = answer.headers.get_content_type()
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        return Page(address, None, "", f"could not be fetched: {error}")
    if len(data) > MAX_WHOLE:
        return Page(address, None, "", f"is larger than the bound of {MAX_WHOLE >> 20} MiB")
    return Page(address, data, kind, "")
