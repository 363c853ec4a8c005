"""`septet console [RELEASE]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from septet.cli.common import open_workspace
from septet.server import extra


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", nargs="?", default="", help="the release to chat with (default: the newest)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=8601, help="the port (default: 8601; 0: any free one)")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="ask for one of the keys in it: KEY NAME CLASS")
    parser.add_argument("--open", action="store_true", help="open it in the browser")


def run(given: argparse.Namespace) -> int:
    extra.require()
    from septet.console.app import create_app
    from septet.server import border, listen
    from septet.server.desk import Desk

    keys = border.read_keys(given.key_file) if given.key_file else ()
    listen.require_keys_beyond_loopback(given.host, keys)
    with listen.bind(given.host, given.port) as opened, open_workspace(given) as workspace:
        from septet.assistant import Assistant

        with Desk(lambda: Assistant.open(workspace, given.release)) as desk:
            hosts = listen.LOOPBACK_NAMES if listen.is_loopback(given.host) else ()
            app = border.guarded(create_app(workspace, desk), keys, hosts)
            address = listen.address_of(opened)
            print(f"the console of {workspace.root} is at {address}/", flush=True)
            if given.open:
                import webbrowser

                webbrowser.open(address)
            listen.serve(app, opened)
    return 0
