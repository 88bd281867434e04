"""A WebSocket client (RFC 6455) and bare HTTP over a socket, so that a test can send what no library
would: a foreign Host, two of them, no token."""
import base64
import hashlib
import json
import os
import socket
import struct
import sys
import time

from house import WAIT_S

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from traffic import TRAFFIC  # noqa: E402

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def read_head(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(4096)
        if not more:
            raise ConnectionError(f"closed within the head of an answer: {data!r}")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(lines[0].split()[1]), headers, rest


def http(port, path, headers=(), method="GET"):
    """(status, headers, body). `headers` is a list of pairs; a Host is added unless one is there."""
    headers = list(headers)
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", f"127.0.0.1:{port}"))
    request = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers if v is not None)
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as sock:
        sock.sendall((request + "Connection: close\r\n\r\n").encode())
        try:
            status, got, body = read_head(sock)
        except ConnectionError:
            return 0, {}, b""  # refused without a word
        while len(body) < int(got.get("content-length", 1 << 30)):
            try:
                more = sock.recv(65536)
            except ConnectionError:
                break
            if not more:
                break
            body += more
        TRAFFIC.http(method, path, status, got, body)
        return status, got, body


class Refused(Exception):
    def __init__(self, status):
        super().__init__(f"no upgrade: {status}")
        self.status = status


class WebSocket:
    """One connection; messages are JSON objects."""

    def __init__(self, engine, path="/v1/ws", token=None, headers=(), host=None):
        port = engine["port"]
        key = base64.b64encode(os.urandom(16))
        token = engine["token"] if token is None else token
        lines = [("Host", host or f"127.0.0.1:{port}"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                 ("Sec-WebSocket-Key", key.decode()), ("Sec-WebSocket-Version", "13")]
        if token:
            lines.append(("Sec-WebSocket-Protocol", f"gloss.v1, bearer.{token}"))
        lines += headers
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.socket.sendall((f"GET {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines) +
                             "\r\n").encode())
        try:
            status, got, self.data = read_head(self.socket)
        except ConnectionError:
            status, got = 0, {}
        if status != 101:
            self.socket.close()
            raise Refused(status)
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        assert got.get("sec-websocket-accept") == accept, got
        assert got.get("sec-websocket-protocol") == "gloss.v1", got
        self.pending = []
        self.fragments = b""
        self.close_code = None
        self.number = TRAFFIC.open(path)
        self.n_requests = 0
        self.hello = self.receive()
        assert self.hello["type"] == "system", self.hello

    # ---- frames ----

    def send_frame(self, opcode, payload):
        mask = os.urandom(4)
        n = len(payload)
        head = bytes([0x80 | opcode])
        if n < 126:
            head += bytes([0x80 | n])
        elif n < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", n)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", n)
        self.socket.sendall(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload)))

    def need(self, n, end):
        while len(self.data) < n:
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError("the hub says nothing")
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except socket.timeout:
                continue
            if not more:
                raise ConnectionError("the hub closed the connection")
            self.data += more

    def read_frame(self, end):
        self.need(2, end)
        first, second = self.data[0], self.data[1]
        n, at = second & 0x7F, 2
        assert not second & 0x80, "a server does not mask"
        if n == 126:
            self.need(4, end)
            n, at = struct.unpack(">H", self.data[2:4])[0], 4
        elif n == 127:
            self.need(10, end)
            n, at = struct.unpack(">Q", self.data[2:10])[0], 10
        self.need(at + n, end)
        payload, self.data = self.data[at:at + n], self.data[at + n:]
        return first & 0x80, first & 0x0F, payload

    def receive(self, timeout_s=WAIT_S):
        """The next message."""
        end = time.monotonic() + timeout_s
        while True:
            is_last, opcode, payload = self.read_frame(end)
            if opcode == PING:
                self.send_frame(PONG, payload)
            elif opcode == CLOSE:
                self.close_code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise ConnectionError(f"closed with {self.close_code}")
            elif opcode in (0, TEXT):
                self.fragments += payload
                if is_last:
                    text, self.fragments = self.fragments, b""
                    TRAFFIC.heard(self.number, text.decode())
                    return json.loads(text)

    # ---- messages ----

    def send(self, message):
        text = json.dumps(message)
        TRAFFIC.said(self.number, text)
        self.send_frame(TEXT, text.encode())

    def request(self, action, data=None, workspace=None):
        """The response; events meanwhile are kept for event()."""
        self.n_requests += 1
        request_id = f"r{self.n_requests}"
        message = {"type": "request", "action": action, "request_id": request_id, "data": data or {}}
        if workspace:
            message["workspace"] = workspace
        self.send(message)
        while True:
            message = self.receive()
            if message.get("type") == "response" and message.get("request_id") == request_id:
                return message
            self.pending.append(message)

    def event(self, timeout_s=WAIT_S):
        if self.pending:
            return self.pending.pop(0)
        return self.receive(timeout_s)

    def events_until(self, last, timeout_s=WAIT_S):
        """Events up to the one that `last` accepts, which is the last of the list."""
        end, events = time.monotonic() + timeout_s, []
        while True:
            try:
                event = self.event(end - time.monotonic())
            except AssertionError:
                raise AssertionError(f"the awaited event did not come; these did: {events}") from None
            if event.get("type") != "event":
                continue
            events.append(event)
            if last(event):
                return events

    def close(self):
        try:
            self.send_frame(CLOSE, struct.pack(">H", 1000))
        except OSError:
            pass
        self.socket.close()
