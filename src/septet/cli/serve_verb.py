"""`septet serve [RELEASE]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from septet.cli.common import open_workspace
from septet.core.fingerprint import short
from septet.detect.access import ALL, Reader
from septet.server import extra


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", nargs="?", default="", help="a release's name or fingerprint (default: the newest)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=8600, help="the port (default: 8600; 0: any free one)")
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="ask callers for one of the keys in it, a line each: KEY NAME CLASS",
    )
    parser.add_argument(
        "--clearance",
        default=ALL,
        metavar="CLASS",
        help="without keys: the access class up to which everybody may see (default: all, for this machine alone)",
    )
    parser.add_argument("--console", action="store_true", help="serve the console's pages as well")


def run(given: argparse.Namespace) -> int:
    extra.require()
    from septet.server import border, listen
    from septet.server.app import create_app
    from septet.server.desk import Desk

    keys = border.read_keys(given.key_file) if given.key_file else ()
    listen.require_keys_beyond_loopback(given.host, keys)
    with listen.bind(given.host, given.port) as opened, open_workspace(given) as workspace:
        from septet.assistant import Assistant

        with Desk(lambda: Assistant.open(workspace, given.release)) as desk:
            console = None
            if given.console:
                from septet.console.app import create_app as create_console

                console = create_console(workspace, desk)
            hosts = listen.LOOPBACK_NAMES if listen.is_loopback(given.host) else ()
            app = create_app(desk, keys, hosts, console, Reader(clearance=given.clearance))
            address, assistant = listen.address_of(opened), desk.open()
            for reader in [key.reader for key in keys] or [Reader(clearance=given.clearance)]:
                assistant.check_class(reader)
            print(
                f"release '{assistant.name}' {short(assistant.release.fingerprint)} answers at {address}/v1", flush=True
            )
            if console is not None:
                print(f"its console is at {address}/", flush=True)
            listen.serve(app, opened)
    return 0
