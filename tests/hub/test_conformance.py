"""RFC 6455 frame by frame: what it allows is answered, what it forbids ends the connection with the code that it names.
The client is our own, since no library would send most of this. Each case is a connection of its own. Where
libwebsockets 4.1 differs and nothing on our side can mend it, DIFFERS says how and why; what begins to be right there
fails too, so that the table stays true."""
import base64
import concurrent.futures
import hashlib
import json
import os
import socket
import struct
import sys
import time

from hubtest import WAIT_S, Engine

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASKS = {"any": b"\x37\xfa\x21\x3d", "zero": bytes(4), "ones": b"\xff" * 4, "first": b"\x80\0\0\0", "last": b"\0\0\0\1"}
MASK = MASKS["any"]
MESSAGE_MAX = 1 << 20
AT_ONCE = 64  # cases: some closes libwebsockets waits five seconds for
NOTHING_S = 5  # after which what had to end is taken for waiting

# Kind of case (the name up to the colon) → how what comes instead begins. libwebsockets 4.1 has these from the bytes
# before we see anything of them; an empty tuple: as if nothing were wrong.
DIFFERS = {
    # It goes by the length alone, whichever of its three forms it has.
    "length not minimal": ("answers",),
    # It ends the connection without the close frame, as RFC 6455 7.1.7 allows where it says SHOULD.
    "negative length": ("drops",),
    "control frame too long": ("drops",),
    "control frame in another form": ("drops",),
    "close with a reason that is not UTF-8": ("drops",),
    # Codes that were registered after it was written are none to it.
    "close with a later code": ("closes", 1002),
    # It takes a frame without a mask as it is, and tells nobody.
    "not masked": (),
}


# ---- frames ----

def masked(payload, mask):
    n = len(payload)
    key = int.from_bytes((mask * (n // 4 + 1))[:n], "big")
    return (int.from_bytes(payload, "big") ^ key).to_bytes(n, "big")


def frame(opcode, payload=b"", fin=True, rsv=0, mask=MASK, claims=None, form=None):
    """claims: the length in the header, if another one. form: how wide its field is: 7, 16 or 64 bits."""
    n = len(payload) if claims is None else claims
    form = form or (7 if n < 126 else 16 if n < 65536 else 64)
    bit = 0 if mask is None else 0x80
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    head += (bytes([bit | n]) if form == 7 else bytes([bit | 126]) + struct.pack(">H", n) if form == 16 else
             bytes([bit | 127]) + struct.pack(">Q", n))
    return head + payload if mask is None else head + mask + masked(payload, mask)


def request(name, size=None):
    """A message of this size; its answer bears the name."""
    text = json.dumps({"action": "ping", "request_id": name, "pad": ""}, ensure_ascii=False).encode()
    assert size is None or size >= len(text)
    return text[:-2] + b"x" * ((size or 0) - len(text)) + text[-2:]


SMALL = len(request("a"))


def close(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


def fragments(opcode, parts, between=()):
    """The frames of one message; `between` come before each but the first."""
    out = []
    for i, part in enumerate(parts):
        if i:
            out += between
        out.append(frame(CONTINUATION if i else opcode, part, fin=i + 1 == len(parts)))
    return out


def bytewise(data, step=1):
    return [data[i:i + step] for i in range(0, len(data), step)]


# ---- the client ----

class Wire:
    def __init__(self, engine, subprotocol="gloss.v1", extensions=""):
        key = base64.b64encode(os.urandom(16))
        self.socket = socket.create_connection(("127.0.0.1", engine.port), WAIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.socket.sendall(
            f"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n{extensions}"
            f"Sec-WebSocket-Protocol: {subprotocol}, bearer.{engine.token}\r\n\r\n".encode())
        while b"\r\n\r\n" not in self.data:
            self.data += self.more(WAIT_S)
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        self.headers = dict(line.split(": ", 1) for line in lines[1:])
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode().lower()
        assert lines[0].startswith("http/1.1 101 "), lines[0]
        assert self.headers["sec-websocket-accept"] == accept, lines
        assert self.headers["sec-websocket-protocol"] == subprotocol, lines
        assert self.headers["upgrade"] == "websocket" and self.headers["connection"] == "upgrade", lines
        assert "sec-websocket-extensions" not in self.headers, lines
        opcode, hello = self.frame(WAIT_S)
        assert (opcode, json.loads(hello)["type"]) == (TEXT, "system"), hello

    def more(self, timeout_s):
        self.socket.settimeout(timeout_s)
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        return data

    def need(self, n, timeout_s):
        end = time.monotonic() + timeout_s
        while len(self.data) < n:
            self.data += self.more(max(0.001, end - time.monotonic()))

    def frame(self, timeout_s):
        """(opcode, payload) of a frame, which is as a server's must be."""
        self.need(2, timeout_s)
        first, n, at = self.data[0], self.data[1], 2
        assert first & 0xF0 == 0x80, f"not whole, or with reserved bits: {first:#x}"
        assert not n & 0x80, "a server masks nothing"
        if n == 126:
            self.need(4, timeout_s)
            n, at = struct.unpack(">H", self.data[2:4])[0], 4
            assert n >= 126, n
        elif n == 127:
            self.need(10, timeout_s)
            n, at = struct.unpack(">Q", self.data[2:10])[0], 10
            assert n >= 65536, n
        assert not first & 8 or n <= 125, "a control frame is short"
        self.need(at + n, timeout_s)
        payload, self.data = self.data[at:at + n], self.data[at + n:]
        return first & 0x0F, payload

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what it says to that is still to be read

    def end(self, payload):
        """Behind its close frame, which is answered: nothing but the end."""
        if len(payload) == 1:
            return ("closes", "one byte")
        payload[2:].decode()
        self.send(frame(CLOSE, payload[:2]))
        try:
            more = self.data + self.more(WAIT_S)
            return ("says behind its close", more)
        except (EOFError, ConnectionResetError):
            return ("closes", struct.unpack(">H", payload[:2])[0] if payload else None)

    def outcome(self, timeout_s):
        """("answers", names, pongs) up to the answer named "end", ("closes", code), ("drops",) or ("waits",)."""
        names, pongs = [], []
        try:
            while True:
                opcode, payload = self.frame(timeout_s)
                if opcode == CLOSE:
                    return self.end(payload)
                if opcode == PONG:
                    pongs.append(payload)
                elif opcode == TEXT:
                    for line in payload.decode().split("\n"):
                        message = json.loads(line)
                        if message.get("event_type") == "heartbeat":
                            continue
                        name = message["request_id"]
                        if name == "end":
                            return ("answers", names, pongs)
                        names.append(name)
                else:
                    return ("sends opcode", opcode)
        except (EOFError, ConnectionResetError):
            return ("drops",)
        except socket.timeout:
            return ("waits",)


# ---- cases: (name, chunks to send, what must come, options) ----

CASES = []


def case(name, chunks, wanted, **options):
    """options: probe: False when nothing may follow; subprotocol; timeout_s."""
    chunks = [chunks] if isinstance(chunks, bytes) else list(chunks)
    CASES.append((name, chunks, wanted, options))


def answers(*names, pongs=()):
    return ("answers", list(names), list(pongs))


def closes(code):
    return ("closes", code)


def add_lengths():
    sizes = [SMALL, 100, 124, 125, 126, 127, 128, 255, 256, 257, 1000, 4095, 4096, 4097, 16384, 65534, 65535, 65536, 65537]
    for size in sizes:
        for name, mask in MASKS.items():
            case(f"length: {size} bytes, mask {name}", frame(TEXT, request("a", size), mask=mask), answers("a"))
    for size in (100000, 131072, 262143, 524288, MESSAGE_MAX - 1, MESSAGE_MAX):
        case(f"length: {size} bytes", frame(TEXT, request("a", size)), answers("a"))
    for size in (MESSAGE_MAX + 1, MESSAGE_MAX + 4096, 2 * MESSAGE_MAX):
        case(f"too long: {size} bytes", frame(TEXT, request("a", size)), closes(1009), probe=False)
    for text in (b"", b"1", b"{}", b"[1]", b"null", b"truefalse", b'"abcdefgh"', b"\0"):
        case(f"no request: {text!r}", frame(TEXT, text), answers(None))
    for size in (0, SMALL, 125):
        payload = request("a", size) if size else b""
        for form in (16, 64):
            case(f"length not minimal: {size} in {form} bits", frame(TEXT, payload, form=form), closes(1002))
    for size in (126, 1000, 65535):
        case(f"length not minimal: {size} in 64 bits", frame(TEXT, request("a", size), form=64), closes(1002))
    for claims in (MESSAGE_MAX + 1, 1 << 31, 1 << 32, 1 << 62, (1 << 63) - 1):
        case(f"huge claim: {claims:#x} bytes", frame(TEXT, request("a", 5000), claims=claims), closes(1009), probe=False)
    for claims in (1 << 63, (1 << 64) - 1):
        case(f"negative length: {claims:#x}", frame(TEXT, request("a"), claims=claims), closes(1002), probe=False)


def add_reserved():
    names = {TEXT: "text", BINARY: "binary", PING: "ping", PONG: "pong", CLOSE: "close"}
    for rsv in range(1, 8):
        for opcode, name in names.items():
            case(f"reserved bits: {rsv} of a {name}", frame(opcode, b"ab", rsv=rsv), closes(1002))
        case(f"reserved bits: {rsv} of a continuation",
             [frame(TEXT, b"{", fin=False), frame(CONTINUATION, b"}", rsv=rsv)], closes(1002))
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        for size in (0, 10, 125, 126):
            for fin in (True, False):
                if opcode < 8 or (fin and size <= 125):
                    case(f"reserved opcode: {opcode}, {size} bytes{'' if fin else ', not the last'}",
                         frame(opcode, b"x" * size, fin=fin), closes(1002))
        case(f"reserved opcode: {opcode} within a message",
             [frame(TEXT, b"{", fin=False), frame(opcode), frame(CONTINUATION, b"}")], closes(1002))


def add_control():
    for size in (0, 1, 2, 7, 8, 63, 64, 100, 123, 124, 125):
        payload = bytes((i * 7 + size) & 255 for i in range(size))
        case(f"ping: {size} bytes", frame(PING, payload), answers(pongs=[payload]))
        case(f"ping: {size} bytes, mask zero", frame(PING, payload, mask=MASKS["zero"]), answers(pongs=[payload]))
        case(f"pong unasked: {size} bytes", frame(PONG, payload), answers())
    case("ping: bytes that are not UTF-8", frame(PING, b"\xff\xfe\x80"), answers(pongs=[b"\xff\xfe\x80"]))
    case("ping: between requests", frame(TEXT, request("a")) + frame(PING, b"p") + frame(TEXT, request("b")),
         answers("a", "b", pongs=[b"p"]))
    for opcode, name in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        for size in (126, 127, 1000, 65535, 65536):
            payload = (b"\x03\xe8" if opcode == CLOSE else b"ab") + b"x" * (size - 2)
            case(f"control frame too long: {name} of {size} bytes", frame(opcode, payload), closes(1002))
        case(f"control frame in another form: {name} of 5 bytes in 16 bits",
             frame(opcode, b"\x03\xe8abc", form=16), closes(1002))
        case(f"control frame in another form: {name} of 5 bytes in 64 bits",
             frame(opcode, b"\x03\xe8abc", form=64), closes(1002))
        for size in (0, 2, 125):
            case(f"control frame in fragments: {name} of {size} bytes",
                 frame(opcode, (b"\x03\xe8" + b"x" * 123)[:size], fin=False), closes(1002))
        case(f"control frame in fragments: {name} and its rest",
             [frame(opcode, b"\x03\xe8", fin=False), frame(CONTINUATION, b"x")], closes(1002))


def add_fragments():
    text = request("a")
    for at in (0, 1, 2, 3, 5, 8, 13, 21, 34, len(text) - 1, len(text)):
        parts = [text[:at], text[at:]]
        case(f"fragments: at {at}", fragments(TEXT, parts), answers("a"))
        case(f"fragments: at {at}, one segment", b"".join(fragments(TEXT, parts)), answers("a"))
        case(f"fragments: at {at}, a ping between", fragments(TEXT, parts, [frame(PING, b"p")]),
             answers("a", pongs=[b"p"]))
        case(f"fragments: at {at}, a pong between", fragments(TEXT, parts, [frame(PONG, b"p")]), answers("a"))
    case("fragments: of a byte", fragments(TEXT, bytewise(text)), answers("a"))
    case("fragments: of a byte, in one segment", b"".join(fragments(TEXT, bytewise(text))), answers("a"))
    case("fragments: 2000 of a byte", b"".join(fragments(TEXT, bytewise(request("a", 2000)))), answers("a"))
    case("fragments: many empty", fragments(TEXT, [b""] * 20 + [text] + [b""] * 20), answers("a"))
    case("fragments: 16 of 65536 bytes", fragments(TEXT, bytewise(request("a", MESSAGE_MAX), 65536)), answers("a"))
    case("fragments: two messages", fragments(TEXT, bytewise(text, 9)) + fragments(TEXT, bytewise(request("b"), 7)),
         answers("a", "b"))
    case("fragments: then a whole one", fragments(TEXT, bytewise(text, 9)) + [frame(TEXT, request("b"))],
         answers("a", "b"))
    case("too long: in fragments", fragments(TEXT, bytewise(request("a", MESSAGE_MAX + 1), 65536)), closes(1009),
         probe=False)
    case("too long: in small fragments",
         b"".join(fragments(TEXT, bytewise(request("a", MESSAGE_MAX + 4096), 4096))), closes(1009), probe=False)
    for fin in (True, False):
        for payload in (b"", b"{}", text):
            case(f"continuation of nothing: {len(payload)} bytes{', the last' if fin else ''}",
                 frame(CONTINUATION, payload, fin=fin), closes(1002))
    case("continuation of nothing: behind a whole message", [frame(TEXT, text), frame(CONTINUATION, b"x")],
         ("closes behind", ["a"], 1002))
    case("continuation of nothing: behind the last fragment",
         fragments(TEXT, [text[:9], text[9:]]) + [frame(CONTINUATION, b"x")], ("closes behind", ["a"], 1002))
    for opcode, name in ((TEXT, "text"), (BINARY, "binary")):
        for fin in (True, False):
            case(f"message within a message: {name}{'' if fin else ', more to come'}",
                 [frame(TEXT, b"{", fin=False), frame(opcode, b"}", fin=fin)], closes(1002))
    case("message within a message: behind a ping",
         [frame(TEXT, b"{", fin=False), frame(PING), frame(TEXT, b"}")], closes(1002))
    case("binary: a request", frame(BINARY, text), closes(1003))
    case("binary: empty", frame(BINARY), closes(1003))
    case("binary: in fragments", fragments(BINARY, [text[:9], text[9:]]), closes(1003))


LETTERS = {"two bytes": "\u0080", "two bytes, the last": "\u07ff", "three bytes": "\u0800", "before surrogates": "\ud7ff",
           "behind surrogates": "\ue000", "byte order mark": "\ufeff", "no character": "\uffff", "replacement": "\ufffd",
           "four bytes": "\U00010000", "the last": "\U0010ffff", "many": "κόσμε 日本語 \U0001f600 é"}
CUT = ("cut", "at one", "at two", "at three")
NOT_UTF8 = {
    "lone continuation": b"\x80", "lone continuation, the last": b"\xbf", "two continuations": b"\x80\xbf",
    "two bytes cut": b"\xc2", "three bytes cut at two": b"\xe2\x82", "three bytes cut at one": b"\xe2",
    "four bytes cut at three": b"\xf0\x9f\x98", "four bytes cut at one": b"\xf0", "cut, then a letter": b"\xe2\x82A",
    "overlong slash": b"\xc0\xaf", "overlong slash in three": b"\xe0\x80\xaf", "overlong slash in four": b"\xf0\x80\x80\xaf",
    "overlong zero": b"\xc0\x80", "overlong in two": b"\xc1\xbf", "overlong in three": b"\xe0\x9f\xbf",
    "overlong in four": b"\xf0\x8f\xbf\xbf", "first surrogate": b"\xed\xa0\x80", "last surrogate": b"\xed\xbf\xbf",
    "pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80", "above the last": b"\xf4\x90\x80\x80", "far above": b"\xf7\xbf\xbf\xbf",
    "five bytes": b"\xf8\x88\x80\x80\x80", "six bytes": b"\xfc\x84\x80\x80\x80\x80", "fe": b"\xfe", "ff": b"\xff",
}


def add_utf8():
    for name, letters in LETTERS.items():
        text = request(letters)
        at = text.index(letters.encode())
        case(f"utf-8: {name}", frame(TEXT, text), answers(letters))
        for i in range(1, len(letters.encode()[:4])):
            case(f"utf-8: {name}, cut behind byte {i}", fragments(TEXT, [text[:at + i], text[at + i:]]), answers(letters))
        case(f"utf-8: {name}, fragments of a byte", b"".join(fragments(TEXT, bytewise(text))), answers(letters))
        case(f"utf-8: {name}, cut by a ping",
             fragments(TEXT, [text[:at + 1], text[at + 1:]], [frame(PING, b"\xff")]), answers(letters, pongs=[b"\xff"]))
        case(f"utf-8: {name}, bytes one by one", bytewise(frame(TEXT, text)), answers(letters))
    for name, letters in NOT_UTF8.items():
        text = request("@").replace(b"@", letters)
        at = text.index(letters)
        case(f"not utf-8: {name}", frame(TEXT, text), closes(1007))
        case(f"not utf-8: {name}, at the end", frame(TEXT, b'"' + letters), closes(1007))
        case(f"not utf-8: {name}, in the second fragment", fragments(TEXT, [text[:at], text[at:]]), closes(1007))
        if len(letters) > 1:
            case(f"not utf-8: {name}, cut", fragments(TEXT, [text[:at + 1], text[at + 1:]]), closes(1007))
    case("not utf-8: cut at the end of the last fragment", fragments(TEXT, [b'"\xe2', b"\x82"]), closes(1007))


def add_closing():
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        case(f"close: {code}", close(code), closes(code), probe=False)
        case(f"close: {code} with a reason", close(code, "weil ich gehe: ünd".encode()), closes(code), probe=False)
    for code in (1012, 1013, 1014):
        case(f"close with a later code: {code}", close(code), closes(code), probe=False)
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999):
        case(f"close with no code of a client: {code}", close(code), closes(1002), probe=False)
    for code in (5000, 65535):
        case(f"close with a code of nobody: {code}", close(code), closes(1002), probe=False)
    case("close without a code", close(), closes(None), probe=False)
    case("close of one byte", frame(CLOSE, b"\x03"), closes(1002), probe=False)
    for size in (1, 64, 122, 123):
        case(f"close: reason of {size} bytes", close(1000, b"x" * size), closes(1000), probe=False)
    for name, letters in NOT_UTF8.items():
        kind = "close with a reason that is cut in a letter" if name.endswith(CUT) else "close with a reason that is not UTF-8"
        case(f"{kind}: {name}", close(1000, b"x" + letters), closes(1007), probe=False)
    case("close: bytes one by one", bytewise(close(1000, b"bye")), closes(1000), probe=False)
    case("close: in the middle of a message", [frame(TEXT, b"{", fin=False), close(1000)], closes(1000), probe=False)
    case("close: then a request", close(1000) + frame(TEXT, request("a")), closes(1000), probe=False)
    case("close: then a ping", close(1000) + frame(PING, b"p"), closes(1000), probe=False)
    case("close: twice", close(1000) + close(1001), closes(1000), probe=False)
    case("close: behind a request", [frame(TEXT, request("a")), close(1000)], ("closes behind", ["a"], 1000), probe=False)


def add_masks():
    text = request("a")
    for name, data in (("text", frame(TEXT, text, mask=None)), ("empty text", frame(TEXT, mask=None)),
                       ("text of 126 bytes", frame(TEXT, request("a", 126), mask=None)),
                       ("text of 65536 bytes", frame(TEXT, request("a", 65536), mask=None)),
                       ("ping", frame(PING, b"p", mask=None)), ("empty ping", frame(PING, mask=None)),
                       ("pong", frame(PONG, b"p", mask=None)), ("binary", frame(BINARY, b"p", mask=None)),
                       ("close", frame(CLOSE, b"\x03\xe8", mask=None)),
                       ("last fragment", frame(TEXT, text[:9], fin=False) + frame(CONTINUATION, text[9:], mask=None))):
        case(f"not masked: {name}", data, closes(1002))


def add_delivery():
    whole = frame(TEXT, request("a")) + frame(PING, b"ping") + b"".join(fragments(TEXT, bytewise(request("b"), 11)))
    for step in (1, 2, 3, 5, 7, 16, 100):
        case(f"pieces: of {step} bytes", bytewise(whole, step), answers("a", "b", pongs=[b"ping"]))
    for size in (125, 126, 2000):
        case(f"pieces: {size} bytes one by one", bytewise(frame(TEXT, request("a", size))), answers("a"))
    case("pieces: 65536 bytes in sevens of a hundred", bytewise(frame(TEXT, request("a", 65536)), 700), answers("a"))
    case("pieces: 100 requests in one segment", b"".join(frame(TEXT, request(f"{i}")) for i in range(100)),
         answers(*(f"{i}" for i in range(100))))
    case("pieces: 50 pongs and a request", frame(PONG, b"x" * 125) * 50 + frame(TEXT, request("a")), answers("a"))
    case("extensions: none is agreed on", frame(TEXT, request("a")), answers("a"),
         extensions="Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
    case("extensions: a compressed frame", frame(TEXT, request("a"), rsv=4), closes(1002),
         extensions="Sec-WebSocket-Extensions: permessage-deflate\r\n")
    lines = {"subprotocol": "gloss.v1.ndjson"}
    case("lines: two in a message", frame(TEXT, request("a") + b"\n" + request("b")), answers("a", "b"), **lines)
    case("lines: cut by a fragment",
         fragments(TEXT, bytewise(request("a") + b"\n" + request("b") + b"\n", 17)), answers("a", "b"), **lines)
    case("lines: not UTF-8 in the second", frame(TEXT, request("a") + b"\n\xff"), closes(1007), **lines)
    case("lines: a ping between fragments",
         fragments(TEXT, bytewise(request("a") + b"\n" + request("b"), 40), [frame(PING, b"p")])[:3] +
         [frame(CONTINUATION, (request("a") + b"\n" + request("b"))[80:])],
         answers("a", "b", pongs=[b"p"]), **lines)


# ---- running ----

def play(engine, chunks, options):
    wire = Wire(engine, options.get("subprotocol", "gloss.v1"), options.get("extensions", ""))
    try:
        for chunk in chunks:
            wire.send(chunk)
        if options.get("probe", True):
            wire.send(frame(TEXT, request("end")))
        return wire.outcome(NOTHING_S)
    finally:
        wire.socket.close()


def is_as_wanted(outcome, wanted):
    """What is answered before a close need not all arrive."""
    if wanted[0] == "closes behind":
        return outcome == ("closes", wanted[2])
    return outcome == wanted


def judge(engine, name, chunks, wanted, options):
    """What is wrong; None: nothing."""
    outcome = play(engine, chunks, options)
    differs = DIFFERS.get(name.split(":")[0])
    if is_as_wanted(outcome, wanted):
        return f"{outcome} is right, and DIFFERS says that it is not" if differs is not None else None
    if differs is not None and outcome[:len(differs)] == differs:
        return None
    return f"{outcome}, not {wanted}"


def judged(engine, one):
    try:
        return judge(engine, *one)
    except Exception as e:  # noqa: BLE001: whatever it was, it is this case's failure
        return f"{type(e).__name__}: {e}"


def main():
    for add in (add_lengths, add_reserved, add_control, add_fragments, add_utf8, add_closing, add_masks, add_delivery):
        add()
    only = sys.argv[2:]
    cases = [c for c in CASES if not only or any(c[0].startswith(o) for o in only)]
    assert len({c[0] for c in cases}) == len(cases), "two of a name"
    engine = Engine(os.path.abspath(sys.argv[1])).start()
    failed = 0
    print(f"1..{len(cases)}", flush=True)
    try:
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda one: judged(engine, one), cases))
        for number, ((name, *_), problem) in enumerate(zip(cases, results), 1):
            failed += problem is not None
            print(f"{'ok' if problem is None else 'not ok'} {number} - {name.replace('#', '')}")
            if problem:
                print(f"# {problem}", flush=True)
    finally:
        try:
            engine.finish()
        except Exception as e:  # noqa: BLE001
            failed += 1
            print(f"# at the end: {e}")
    sys.exit(1 if failed else 0)


main()
