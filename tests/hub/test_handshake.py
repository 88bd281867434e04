"""Every kind of request line and header with every other that matters: what comes back is what an oracle says that
knows docs/PROTOCOL.md ("Who may come in") and nothing of the code. One engine, many sockets at once."""
import asyncio
import collections
import itertools
import json
import sys

from hubtest import WAIT_S, WRONG_TOKEN, indexed, one_test, parse_http, verdict

AT_ONCE = 48
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
SWITCHED, DROPPED = 101, 0
OPEN = ("/", "/livez", "/readyz", "/health", "/api/health")
PROTECTED = ("/v1/stats", "/metrics", "/v1/workspaces", "/v1/websockets/stats")


class Request:
    """Headers as lists of values: none is absent, two are twice."""

    def __init__(self, method="GET", path="/v1/ws", version="HTTP/1.1", **headers):
        self.method, self.path, self.version = method, path, version
        self.headers = {k.replace("_", "-"): v if isinstance(v, list) else [v] for k, v in headers.items() if v is not None}

    def bytes(self):
        lines = [f"{self.method} {self.path} {self.version}"]
        lines += [f"{name}: {value}" for name, values in self.headers.items() for value in values]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def all(self, name):
        return self.headers.get(name, [])

    def one(self, name):
        """Its value when it is there exactly once."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None


class Matrix:
    def __init__(self, engine, workspace):
        self.port, self.token, self.workspace = engine.port, engine.token, workspace
        self.cases = []

    # ---- what is right ----

    def host_is_right(self, r):
        value = r.one("Host")
        if value is None:
            return False
        for name in ("127.0.0.1", "localhost", "[::1]"):
            if value.lower() == name:
                return True
            if value.lower().startswith(name + ":"):
                port = value[len(name) + 1:]
                return port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536
        return False

    def origin_is_right(self, r):
        values = r.all("Origin")
        return values in ([], [""]) or (len(values) == 1 and values[0] in (
            f"http://127.0.0.1:{self.port}", f"http://localhost:{self.port}"))

    @staticmethod
    def body(r):
        """Whether there is one; None: nobody can tell."""
        coding, length = r.all("Transfer-Encoding"), r.all("Content-Length")
        if coding:
            return True if coding == ["chunked"] and not length else None
        if not length:
            return False
        known = len(length) == 1 and length[0].isascii() and length[0].isdigit() and len(length[0]) < 19
        return int(length[0]) > 0 if known else None

    def offer(self, r):
        """(names, tokens) of the subprotocols; None: it cannot be read."""
        if not r.all("Sec-WebSocket-Protocol"):
            return [], []
        names = [n.strip() for n in ",".join(r.all("Sec-WebSocket-Protocol")).split(",")]
        if names == [""]:
            return [], []
        tokens = [n[7:] for n in names if n.startswith("bearer.")]
        return None if "" in names or len(tokens) > 1 else (names, tokens)

    def token_is_right(self, r, tokens):
        authorization = r.all("Authorization")
        if authorization not in ([], [""]):
            scheme, _, value = ",".join(authorization).partition(" ")
            return scheme.lower() == "bearer" and value.strip() == self.token
        return tokens == [self.token]

    def socket_path_is_there(self, path):
        path = path.partition("?")[0]
        return path == "/v1/ws" or path in (f"/v1/{kind}/{self.workspace}/ws" for kind in ("workspaces", "libraries"))

    # ---- the oracle ----

    def upgrade_is_right(self, r):
        """What an upgrade has to say besides itself."""
        words = [w.strip().lower() for w in ",".join(r.all("Connection")).split(",")]
        key = r.one("Sec-WebSocket-Key")
        if "upgrade" not in words or key is None or len(key) != len(KEY):
            return 400
        return 0 if r.one("Sec-WebSocket-Version") == "13" else 426

    def wanted(self, r):
        """Statuses that may come. libwebsockets reads methods whatever their case; it ends by itself what has one that it
        does not know, and CONNECT."""
        is_upgrade = r.all("Upgrade") not in ([], [""])
        if r.method == "CONNECT":
            return {DROPPED, 403, 405}
        if r.method.upper() not in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            return {DROPPED, 400, 403, 405, 501}
        if is_upgrade and ",".join(r.all("Upgrade")).lower() != "websocket":
            return {DROPPED, 403}
        if not self.host_is_right(r) or not self.origin_is_right(r):
            return {403}
        if is_upgrade:
            return self.wanted_of_upgrade(r)
        body = self.body(r)
        if body is None:
            return {400}
        path = r.path.partition("?")[0]
        is_socket = self.socket_path_could_be(path)
        if path not in OPEN and r.method != "OPTIONS" and not self.token_is_right(r, []):
            return {403}
        if path not in OPEN and path not in PROTECTED and not is_socket:
            return {404}
        if r.method == "OPTIONS":
            return {204}
        if r.method.upper() not in ("GET", "HEAD"):
            return {405}
        return {400} if is_socket or body else {200}

    @staticmethod
    def socket_path_could_be(path):
        parts = path.split("/")
        return path == "/v1/ws" or (len(parts) == 5 and parts[2] in ("workspaces", "libraries") and parts[3] != "" and
                                    parts[4] == "ws")

    def wanted_of_upgrade(self, r):
        if self.body(r) is not False:
            return {400}
        if r.method.upper() != "GET":
            return {405}
        wrong = self.upgrade_is_right(r)
        if wrong:
            return {wrong}
        offer = self.offer(r)
        if offer is None:
            return {400, 403}
        names, tokens = offer
        if not self.token_is_right(r, tokens):
            return {403}
        if not {"gloss.v1", "gloss.v1.ndjson"} & set(names) or len(",".join(r.all("Sec-WebSocket-Protocol"))) > 126:
            return {400}
        return {SWITCHED} if self.socket_path_is_there(r.path) else {404}

    # ---- the cases ----

    def add(self, **options):
        self.cases.append(Request(**options))

    def upgrade(self, **options):
        base = {"Host": f"127.0.0.1:{self.port}", "Connection": "Upgrade", "Upgrade": "websocket",
                "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": KEY, "Sec_WebSocket_Protocol": "gloss.v1",
                "Authorization": "Bearer " + self.token}
        self.add(**{**base, **options})

    def plain(self, **options):
        base = {"Host": f"127.0.0.1:{self.port}", "Authorization": "Bearer " + self.token, "path": "/v1/stats"}
        self.add(**{**base, **options})

    def hosts(self):
        port = self.port
        return [f"127.0.0.1:{port}", "127.0.0.1", f"localhost:{port}", "LOCALHOST", "LocalHost:80", "[::1]:80", "[::1]",
                "127.0.0.1:1", "127.0.0.1:65535", "evil.test", f"evil.test:{port}", "127.0.0.1.evil.test", "localhost.",
                "localhost.evil.test", "", "0.0.0.0", "127.0.0.2", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
                "127.0.0.1:999999999999", "127.0.0.1:8o80", "127.0.0.1:-1", "127.0.0.1:+80", "[::1", "::1", "[::ffff:127.0.0.1]",
                "user@127.0.0.1", "127.1", "2130706433", "127.0.0.1 evil.test", "127.0.0.1,evil.test", "127.0.0.1/",
                None, [f"127.0.0.1:{port}"] * 2, ["127.0.0.1", "evil.test"], ["evil.test", "127.0.0.1"], ["localhost", ""]]

    def origins(self):
        ours = f"http://127.0.0.1:{self.port}"
        return [None, ours, f"http://localhost:{self.port}", "null", "", f"http://127.0.0.1:{self.port % 65535 + 1}",
                "http://evil.test", f"http://127.0.0.1.evil.test:{self.port}", f"https://127.0.0.1:{self.port}", ours + "/",
                f"http://192.168.0.7:{self.port}", ours.upper(), f"http://[::1]:{self.port}", "http://localhost",
                "http://127.0.0.1", f"127.0.0.1:{self.port}", "file://", "vscode-webview://0123", ours + " http://evil.test",
                ours + ",http://evil.test", [ours, ours], [ours, "http://evil.test"], ["http://evil.test", ours]]

    def tokens(self):
        """(Authorization, further subprotocols)"""
        t = self.token
        good, bad = "bearer." + t, "bearer." + WRONG_TOKEN
        return [("Bearer " + t, ""), ("bearer " + t, ""), ("BEARER " + t, ""), ("Bearer  " + t, ""), ("Bearer " + WRONG_TOKEN, ""),
                ("Bearer " + t[:-1], ""), ("Bearer " + t + "0", ""), ("Bearer", ""), ("Bearer " + t + " x", ""), (t, ""),
                ("Basic " + t, ""), ("Token " + t, ""), (None, ""), ("", ""), (None, good), (None, bad), (None, "bearer."),
                (None, good[:-1]), (None, good + "0"), (None, "Bearer." + t), (None, f"{good}, {good}"), (None, f"{bad}, {good}"),
                ("Bearer " + t, bad), ("Bearer " + WRONG_TOKEN, good), (["Bearer " + t] * 2, ""),
                (["Bearer " + t, "Bearer " + WRONG_TOKEN], "")]

    def fill(self):
        hosts, origins = self.hosts(), self.origins()
        for host, origin in itertools.product(hosts, origins):
            self.upgrade(Host=host, Origin=origin)
            self.plain(Host=host, Origin=origin)
        for host, origin in itertools.product(hosts, origins[:4]):
            self.plain(Host=host, Origin=origin, path="/livez", Authorization=None)
        offers = ["gloss.v1", "gloss.v1.ndjson", "x, gloss.v1", "gloss.v1, gloss.v1.ndjson", "gloss.v1,x", None, "x", "gloss.v2",
                  "GLOSS.V1", "gloss", ", gloss.v1", "gloss.v1,,x", ["gloss.v1", "x"], "gloss.v1, " + "x" * 40]
        for (authorization, more), offer in itertools.product(self.tokens(), offers):
            if more:
                offer = offer + [more] if isinstance(offer, list) else f"{offer}, {more}" if offer else more
            self.upgrade(Authorization=authorization, Sec_WebSocket_Protocol=offer)
        for (authorization, _), path in itertools.product(self.tokens(), OPEN + PROTECTED + ("/nothing",)):
            self.plain(Authorization=authorization, path=path)
        for path in PROTECTED:
            self.plain(Authorization=None, path=f"{path}?token={self.token}")
            self.plain(Authorization=None, path=path, Cookie=f"token={self.token}")
            self.plain(Authorization=None, path=path, Sec_WebSocket_Protocol=f"bearer.{self.token}")
        self.fill_methods()
        self.fill_upgrades()
        self.fill_bodies()

    def fill_methods(self):
        methods = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "get", "BREW", "GETGET")
        paths = ("/v1/ws", f"/v1/workspaces/{self.workspace}/ws", f"/v1/libraries/{self.workspace}/ws?subscribe=none",
                 "/v1/workspaces/000000000000/ws", "/v1/ws/", "/v1", "/v1/wss", "/", "/livez", "/v1/stats", "/nothing",
                 "/v2/ws")
        for method, path in itertools.product(methods, paths):
            self.upgrade(method=method, path=path)
            self.upgrade(method=method, path=path, Authorization=None)
            self.plain(method=method, path=path)
            self.plain(method=method, path=path, Authorization=None)

    def fill_upgrades(self):
        kinds = ["websocket", "WebSocket", "WEBSOCKET", "h2c", "websocket, h2c", "h2c, websocket", "websocket2", "web", "TLS/1.0",
                 "websocket/13", ["websocket", "websocket"], ["websocket", "h2c"]]
        connections = ["Upgrade", "upgrade", "keep-alive, Upgrade", "UPGRADE,close", None, "close", "keep-alive", "upgrade2", "up"]
        versions = ["13", None, "8", "12", "14", "113", "x", "13, 8", ["13", "13"], "-13"]
        keys = [KEY, None, "", KEY[:-4], KEY + "AAAA", [KEY, KEY], "x"]
        for kind, connection in itertools.product(kinds, connections):
            self.upgrade(Upgrade=kind, Connection=connection)
            self.plain(Upgrade=kind, Connection=connection)
        for version, key, connection in itertools.product(versions, keys, connections[:6]):
            self.upgrade(Sec_WebSocket_Version=version, Sec_WebSocket_Key=key, Connection=connection)

    def fill_bodies(self):
        lengths = [None, "0", "1", "-1", "+0", "0x0", "99999999999999999999", "1, 1", ["0", "0"], ["0", "5"], "abc"]
        codings = [None, "chunked", "identity", "gzip, chunked"]
        for length, coding in itertools.product(lengths, codings):
            self.upgrade(Content_Length=length, Transfer_Encoding=coding)
            for path in ("/v1/stats", "/livez", "/nothing"):
                self.plain(path=path, Content_Length=length, Transfer_Encoding=coding)


# ---- running ----

async def answer(engine, request):
    """(status, headers, body); the engine ends the connection, unless it switched."""
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    try:
        writer.write(request.bytes())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_S)
        status, headers, _ = parse_http(head)
        body = b"" if status == SWITCHED else await asyncio.wait_for(reader.read(), WAIT_S)
        return status, headers, body
    except (asyncio.IncompleteReadError, ConnectionResetError, BrokenPipeError):
        return DROPPED, {}, b""
    finally:
        writer.close()


def problem_of(engine, request, wanted, got):
    """What is wrong with the answer; None: nothing."""
    status, headers, body = got
    if status not in wanted:
        return f"{status}, not {sorted(wanted)}: {body[:200]!r}"
    if status == SWITCHED:
        return None if headers.get("sec-websocket-protocol", "").startswith("gloss.v1") else "no subprotocol"
    if engine.token.encode() in body or engine.token in str(headers):
        return "it tells the token"
    if status >= 400 and headers.get("content-type") == "application/problem+json":
        if request.method != "HEAD" and json.loads(body)["status"] != status:
            return f"the problem says another status than {status}: {body!r}"
    return None


async def run(engine):
    await indexed(engine)
    _, _, body = await engine.http("/v1/workspaces")
    matrix = Matrix(engine, json.loads(body)["workspaces"][0]["id"])
    matrix.fill()
    limit = asyncio.Semaphore(AT_ONCE)
    problems = []
    statuses = collections.Counter()

    async def one(request):
        async with limit:
            wanted = matrix.wanted(request)
            got = await answer(engine, request)
            statuses[got[0]] += 1
            problem = problem_of(engine, request, wanted, got)
            if problem:
                problems.append(f"{request.bytes()!r}: {problem}")

    await asyncio.gather(*(one(request) for request in matrix.cases))
    told = ", ".join(f"{count} × {status or 'ended'}" for status, count in sorted(statuses.items()))
    return f"{len(matrix.cases)} handshakes: {told}", problems


def main():
    result, problems = one_test(sys.argv[1], run)
    what, wrong = result or ("handshakes", [])
    verdict(what, wrong + problems, n_shown=20)


main()
