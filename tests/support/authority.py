"""An authority of time stamps (RFC 3161) for tests: certificates and replies by openssl, and a server on loopback."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

CONFIGURATION = """
[req]
distinguished_name = name
[name]
[tsa]
default_tsa = clock
[clock]
serial = serial
default_policy = 1.2.3.4
digests = sha256
signer_digest = sha256
[of_authority]
basicConstraints = critical,CA:true
[of_clock]
extendedKeyUsage = critical,timeStamping
"""
NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config openssl.cnf"


class Authority:
    """An authority whose keys and certificates are in a folder; `certificate` is the one that others trust."""

    def __init__(self, folder: Path, name: str, valid: str = "-days 3650") -> None:
        folder.mkdir()
        self.folder, self.certificate = folder, folder / "authority.pem"
        (folder / "openssl.cnf").write_text(CONFIGURATION)
        of_authority = f"-x509 -extensions of_authority -subj /CN={name} {valid}"
        self.run(f"req {NEW_KEY} {of_authority} -keyout authority.key -out authority.pem")
        self.run(f"req {NEW_KEY} -subj /CN=clock -keyout clock.key -out clock.csr")
        by = "-CA authority.pem -CAkey authority.key -CAcreateserial"
        extensions = "-extfile openssl.cnf -extensions of_clock"
        self.run(f"x509 -req -in clock.csr {by} {extensions} {valid} -out clock.pem")

    def run(self, words: str) -> None:
        subprocess.run(
            ["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True
        )

    def reply(self, query: bytes) -> bytes:
        """Return the reply to a query; it is a refusal if the query is not of a sha256."""
        (self.folder / "query").write_bytes(query)
        self.run(
            "ts -reply -config openssl.cnf -queryfile query -signer clock.pem -inkey clock.key -out reply"
        )
        return (self.folder / "reply").read_bytes()


@contextmanager
def serve(answer: Callable[[bytes], bytes], code: int = 200) -> Iterator[str]:
    """Answer queries on loopback; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            is_query = self.headers["Content-Type"] == "application/timestamp-query"
            self.send_response(code if is_query else 415)
            self.end_headers()
            self.wfile.write(answer(query))

        def log_message(self, *_: object) -> None:
            """Write no line for each request."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/secret"
        server.shutdown()
