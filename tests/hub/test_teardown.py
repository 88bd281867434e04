"""An engine that ends while it indexes: nothing of it closes what another part of it has open."""
import os
import re
import shutil
import subprocess

from hubtest import TWO_FUNCTIONS, WAIT_S, Engine, Skip, equal, has_sanitizer, main

N_SESSIONS = 30
N_FILES = 60


def frame(text):
    return f"Content-Length: {len(text)}\r\n\r\n{text}".encode()


def session(engine, wrap=()):
    """One that opens the tree and says exit at once; what it was told to end with."""
    root = "file://" + engine.root
    said = (frame('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,'
                  f'"rootUri":"{root}","capabilities":{{}},"workspaceFolders":'
                  f'[{{"uri":"{root}","name":"t"}}]}}}}')
            + frame('{"jsonrpc":"2.0","method":"initialized","params":{}}')
            + frame('{"jsonrpc":"2.0","id":2,"method":"shutdown"}')
            + frame('{"jsonrpc":"2.0","method":"exit"}'))
    return subprocess.run([*wrap, engine.program, "lsp", "--in-process"], input=said,
                          env=engine.env, capture_output=True, timeout=WAIT_S)


def tree(program):
    engine = Engine(program)
    for i in range(N_FILES):
        engine.write(f"f{i}.c", TWO_FUNCTIONS * 20)
    return engine


async def test_sessions_that_end_while_the_tree_is_indexed(program):
    engine = tree(program)
    try:
        for i in range(N_SESSIONS):
            shutil.rmtree(engine.env["XDG_STATE_HOME"])  # a first index each time
            os.mkdir(engine.env["XDG_STATE_HOME"], 0o700)
            done = session(engine)
            errors = [line for line in done.stderr.decode().splitlines()
                      if not re.search(r"\b(info|debug)\b", line)]
            equal((done.returncode, errors), (0, []), f"session {i}")
            assert b'"id":2' in done.stdout, done.stdout
    finally:
        engine.finish()


async def test_no_descriptor_is_closed_twice(program):
    if not shutil.which("strace"):
        raise Skip("there is no strace")
    if has_sanitizer(program):
        raise Skip("a sanitizer and strace exclude each other")
    probe = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True)
    if probe.returncode != 0 or "ASAN" in str(probe.stderr):
        raise Skip("strace may not trace here")
    engine = tree(program)
    try:
        trace = os.path.join(engine.home, "trace")
        done = session(engine, ("strace", "-f", "-e", "trace=close,memfd_create", "-o", trace))
        equal(done.returncode, 0, done.stderr)
        with open(trace, encoding="utf-8", errors="replace") as f:
            lines = f.readlines()
        assert any(re.search(r"close\(\d+\)\s+= 0", line) for line in lines)
        equal([line for line in lines if "EBADF" in line and "close" in line], [])
        # From where the hub's context goes, the loop's thread is the only one.
        at = max((i for i, line in enumerate(lines) if '"placeholder"' in line), default=None)
        if at is not None:  # this libwebsockets is one that closes twice
            loop = lines[at].split()[0]
            equal([line for line in lines[at:] if line.split()[0] != loop], [])
    finally:
        engine.finish()


main([test_sessions_that_end_while_the_tree_is_indexed, test_no_descriptor_is_closed_twice],
     setup=False)
