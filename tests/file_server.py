"""A small HTTP server for tests: it serves bytes, fails on request, and counts what it sent."""

import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Request(NamedTuple):
    """One request as the server saw it."""

    path: str
    range: str | None
    status: int
    sent: int


class FileServer:
    """What to serve (`files`), how to fail (`trouble`), what happened (`requests`).

    `trouble` maps a path to a list; each request takes the next item off it: a status to answer
    with, or ``("cut", n)`` to break the connection after n bytes of the body. `ranges` False
    ignores the Range header, `lengths` False sends no Content-Length. `pause` is in seconds, after
    half of a body.
    """

    def __init__(self, port: int):
        self.url = f"http://127.0.0.1:{port}"
        self.files: dict[str, bytes] = {}
        self.trouble: dict[str, list] = {}
        self.requests: list[Request] = []
        self.ranges = self.lengths = True
        self.pause = 0.0

    def serve(self, name: str, body: bytes, *trouble) -> str:
        """Serve `body` under `name` and return its URL."""
        self.files[f"/{name}"] = body
        self.trouble[f"/{name}"] = list(trouble)
        return f"{self.url}/{name}"

    @property
    def sent(self) -> int:
        """All bytes of bodies that were sent."""
        return sum(request.sent for request in self.requests)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        state: FileServer = self.server.state
        wanted = self.headers.get("Range")
        queue = state.trouble.get(self.path, [])
        trouble = queue.pop(0) if queue else None
        body = state.files.get(self.path)
        if body is None or isinstance(trouble, int):
            status = trouble or 404
            state.requests.append(Request(self.path, wanted, status, 0))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and state.ranges else 0
        part = body[start:]
        length = len(part)
        if trouble:
            part = part[: trouble[1]]
        # Before the first byte goes out, so that a client that has its answer finds it counted.
        state.requests.append(Request(self.path, wanted, 206 if start else 200, len(part)))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if state.lengths:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        with suppress(ConnectionError):  # a client may hang up when the length is wrong
            self.wfile.write(part[: len(part) // 2])
            time.sleep(state.pause)
            self.wfile.write(part[len(part) // 2 :])
        self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def running():
    """Yield a `FileServer` on a free port of 127.0.0.1; it stops at the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.state = FileServer(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.state
        finally:
            server.shutdown()
            thread.join()
