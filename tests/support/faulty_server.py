"""A server on the loopback device that goes wrong in every way, and a collection that it serves."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import struct
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from datasets import fetch
from datasets.catalog import Collection, collections

CONTENTS = {f"set/{k}.bin": bytes([k]) * (1000 + k) for k in range(6)}


class Server(ThreadingHTTPServer):
    """Serves CONTENTS, each path with the fault it was given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.release = threading.Event()
        self.poured = 0

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the test."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def do_GET(self) -> None:
        path = self.path.lstrip("/").partition("?")[0]
        self.server.asked[path] += 1
        fault, body = self.server.faults.get(path, ""), CONTENTS[path]
        if fault == "first-fails" and self.server.asked[path] == 1:
            fault = "500"
        if fault == "silent":
            self.server.release.wait(10)
            return
        if fault.startswith("redirect"):
            place = {"redirect": "/set/0.bin", "redirect-right": f"/{path}?again"}.get(fault)
            if fault == "redirect-right" and "again" in self.path:
                place = ""
            elif fault == "redirect-loop":
                place = self.path
            elif fault == "redirect-file":
                place = "file:///etc/passwd"
            if place:
                self.send_response(302)
                self.send_header("Location", place)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        self.send_response(int(fault) if fault.isdigit() else 200)
        if fault != "endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "drips":
            self.drip(body)
            return
        if fault == "endless":
            self.pour()
            return
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.wfile.write(body[:300])
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            return
        if fault == "wrong":
            body = bytes(len(body))
        if fault == "truncated":
            body = body[:500]
        self.wfile.write(body)

    def drip(self, body: bytes) -> None:
        for byte in body:
            self.wfile.write(bytes([byte]))
            if self.server.release.wait(0.05):
                return

    def pour(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(1 << 14):
                self.wfile.write(bytes(1 << 16))
                self.server.poured += 1 << 16

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server, its collection `tiny` in the catalogue, and an empty cache."""
    with Server() as running:
        manifest = tmp_path / "tiny.csv"
        rows = [f"{p},{hashlib.sha256(b).hexdigest()},{len(b)}" for p, b in CONTENTS.items()]
        manifest.write_text("\n".join(["path,sha256,bytes", *rows, ""]))
        add_collection(monkeypatch, f"http://127.0.0.1:{running.server_port}/", manifest)
        use_cache(monkeypatch, tmp_path / "cache")
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.release.set()
        running.shutdown()
        thread.join()


def add_collection(monkeypatch, url: str, manifest: Path) -> None:
    tiny = Collection(
        name="tiny",
        title="Six files",
        url=url,
        home=url,
        commit="0" * 40,
        files=len(CONTENTS),
        bytes=sum(map(len, CONTENTS.values())),
        licence="none",
        citation="none",
        bibtex="@misc{none, title = {none}}",
        manifest=manifest,
    )
    monkeypatch.setitem(collections(), "tiny", tiny)


def use_cache(monkeypatch, folder: Path) -> None:
    fetch._unreachable.cache_clear()
    monkeypatch.setattr(fetch, "cache_folder", lambda: folder)
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    monkeypatch.delenv("MFIF_OFFLINE", raising=False)
    monkeypatch.delenv("MFIF_DATA", raising=False)


def cached(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache" / "tiny"
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


ALL = [("tiny", path) for path in CONTENTS]
