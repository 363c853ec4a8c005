"""Whether the packages of the extra are there: asked before any of them is imported, and answered with the command to run."""

from __future__ import annotations

from importlib.util import find_spec

from septet.core.errors import MissingExtra

_PACKAGES = {"starlette": "starlette", "uvicorn": "uvicorn", "jinja2": "jinja2", "python_multipart": "python-multipart"}


def require() -> None:
    """Raises MissingExtra for the first package of the extra `server` that is not installed."""
    for module, package in _PACKAGES.items():
        if find_spec(module) is None:
            raise MissingExtra(package, "server")
