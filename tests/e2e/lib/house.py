"""A place of its own for one test: XDG folders in a new directory, the program under test run in it,
and the proof at the end that no process of it is left. Every wait is for a condition, with a deadline."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

WAIT_S = float(os.environ.get("GLOSS_TEST_WAIT_S", "30"))
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|: runtime error: ")
LOG_BYTES_MAX = 16 << 20
ORPHAN_S = 5.0  # how soon everything must be gone
POLL_S = 0.02


def wait(what, condition, timeout_s=WAIT_S):
    """The condition's first true value; it may raise OSError while things are coming up."""
    end = time.monotonic() + timeout_s
    while True:
        began = time.monotonic()
        try:
            value = condition()
        except (OSError, ValueError):
            value = None
        if value:
            return value
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"waited {timeout_s} s in vain: {what}")
        time.sleep(max(POLL_S, now - began))  # half of the time is left to what is waited for


def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


class Result:
    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def __str__(self):
        return f"`gloss {' '.join(self.command)}` gave {self.code}\nstdout: {self.out}\nstderr: {self.err}"

    def ok(self, code=0):
        assert self.code == code, str(self)
        return self

    def json(self):
        self.ok()
        assert self.out.count("\n") == 1, f"one object on one line, please: {self}"
        return json.loads(self.out)

    def lines(self):
        self.ok()
        return [json.loads(line) for line in self.out.splitlines()]

    def fails(self, code, pattern):
        """It ended with this code and one line of error that matches."""
        self.ok(code)
        lines = self.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("gloss: "), f"one line, please: {self}"
        assert re.search(pattern, lines[0]), f"{pattern!r} is not in it: {self}"
        return self


class House:
    def __init__(self):
        self.bin = os.environ.get("GLOSS_BIN", "")
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix="gloss-e2e-"))
        os.chmod(self.dir, 0o755)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GLOSS_")}
        for name, folder in (("XDG_STATE_HOME", "state"), ("XDG_RUNTIME_DIR", "run"),
                             ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache"), ("HOME", "home")):
            self.env[name] = os.path.join(self.dir, folder)
            os.mkdir(self.env[name], 0o700)
        self.env.pop("DISPLAY", None)
        self.env.pop("WAYLAND_DISPLAY", None)
        self.env["GLOSS_ENGINE_IDLE_EXIT_S"] = "300"
        self.env["GLOSS_LOG_LEVEL"] = "info"
        self.tree = os.path.join(self.dir, "tree")
        os.mkdir(self.tree)
        self.started = []
        self.mounts = []

    # ---- the tree ----

    def path(self, *parts):
        return os.path.join(self.tree, *parts)

    def write(self, path, text):
        full = self.path(path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return full

    def config(self, value):
        folder = os.path.join(self.env["XDG_CONFIG_HOME"], "gloss")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
            json.dump(value, f)

    # ---- the program ----

    def gloss(self, *args, cwd=None, env=None, timeout_s=120, stdin=None, before=()):
        done = subprocess.run([*before, self.bin, *args], cwd=cwd or self.tree, capture_output=True,
                              env={**self.env, **(env or {})}, timeout=timeout_s, check=False, input=stdin,
                              stdin=None if stdin is not None else subprocess.DEVNULL)
        return Result(args, done.returncode, done.stdout.decode(errors="replace"),
                      done.stderr.decode(errors="replace"))

    def index(self, *args, **kw):
        return self.gloss("index", self.tree, "--json", *args, **kw).json()

    def exported(self, **kw):
        return self.gloss("export", "--format", "ndjson", self.tree, **kw).lines()

    def entities(self, **kw):
        return [e for e in self.exported(**kw) if "type" not in e]

    def edges(self, **kw):
        return [e for e in self.exported(**kw) if e.get("type") == "edge"]

    def by_name(self, **kw):
        return {e["qualified_name"]: e for e in self.entities(**kw)}

    def start(self, *args, env=None, cwd=None, stderr="stderr", stderr_fd=None, **kw):
        """A process that runs on; its stderr goes to a file of that name, or to the descriptor."""
        with open(os.path.join(self.dir, stderr), "ab") as err:
            p = subprocess.Popen([self.bin, *args], cwd=cwd or self.tree, env={**self.env, **(env or {})},
                                 stderr=err if stderr_fd is None else stderr_fd, **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **kw})
        self.started.append(p)
        return p

    def stderr_text(self, name="stderr"):
        try:
            return read_bytes(os.path.join(self.dir, name)).decode(errors="replace")
        except FileNotFoundError:
            return ""

    def runtime(self, *parts):
        return os.path.join(self.env["XDG_RUNTIME_DIR"], "gloss", *parts)

    def engine(self):
        """engine.json of a living engine, else None."""
        try:
            engine = json.loads(read_bytes(self.runtime("engine.json")))
        except (FileNotFoundError, ValueError):
            return None
        return engine if engine["pid"] in self.pids() else None

    def serve(self, *args, **kw):
        """An engine in the foreground; returns (process, engine.json)."""
        p = self.start("serve", *args, stderr="engine.stderr", **kw)
        return p, wait("the engine listens",
                       lambda: (e := self.engine()) and e["pid"] == p.pid and
                       os.path.exists(self.runtime("engine.sock")) and e)

    def status(self):
        return self.gloss("status", "--json").json()

    def wait_ready(self, state="ready"):
        """The engine's only workspace, once it has that state."""
        def ready():
            workspaces = self.status()["workspaces"]
            return workspaces and workspaces[0]["state"] == state and workspaces[0]
        return wait(f"the workspace is {state}", ready)

    # ---- processes ----

    def pids(self):
        """Living processes, of whatever program, that were started in this house."""
        mark = ("XDG_STATE_HOME=" + self.env["XDG_STATE_HOME"]).encode()
        found = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                if mark not in read_bytes(f"/proc/{name}/environ").split(b"\0"):
                    continue
                stat = read_bytes(f"/proc/{name}/stat").decode(errors="replace")
                if stat.rpartition(")")[2].split()[0] in "ZX":
                    continue
                line = read_bytes(f"/proc/{name}/cmdline").replace(b"\0", b" ").decode(errors="replace")
                if line:  # else it is on its way out
                    found[int(name)] = line.strip()
            except OSError:
                continue
        return found

    def wait_empty(self, timeout_s=ORPHAN_S):
        for p in self.started:
            p.poll()
        wait("no process of this test is left", lambda: not self.pids(), timeout_s)

    def logs(self):
        """(name, text) of what processes that ran on said."""
        paths = [self.runtime("engine.log"), os.path.join(self.env["XDG_STATE_HOME"], "gloss", "engine.log")]
        paths += [os.path.join(self.dir, name) for name in sorted(os.listdir(self.dir))]
        for path in paths:
            if os.path.isfile(path) and not os.access(path, os.X_OK) and os.path.getsize(path) < LOG_BYTES_MAX:
                yield os.path.basename(path), read_bytes(path).decode(errors="replace")

    def story(self):
        """What the processes said, for a failure's report."""
        return [f"{name}: {line}" for name, text in self.logs() for line in text.splitlines()[-60:]
                if name.endswith(".log") or "stderr" in name]

    def sanitizers(self):
        """What a sanitizer found in a process that ran on; the exit code of the others tells."""
        return [line for _, text in self.logs() for line in text.splitlines() if SANITIZER.search(line)]

    def close(self):
        """Ends everything; returns what did not end by itself within ORPHAN_S of being told."""
        left = []
        try:
            if self.engine():
                self.gloss("stop", timeout_s=30)
        except (subprocess.TimeoutExpired, OSError) as e:
            left.append(f"gloss stop: {e}")
        for p in self.started:
            try:
                if p.stdin:
                    p.stdin.close()
            except OSError:
                pass  # what was not sent is of no interest any more
            if p.poll() is None:
                p.terminate()
        for p in self.started:
            try:
                p.wait(ORPHAN_S)
            except subprocess.TimeoutExpired:
                pass
        try:
            self.wait_empty()
        except AssertionError:
            left += [f"{pid} {line}" for pid, line in self.pids().items()]
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for p in self.started:
            p.wait()
        left += self.sanitizers()
        for mount in self.mounts:
            subprocess.run(["umount", "-l", mount], check=False)
        if not os.environ.get("GLOSS_TEST_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        return left
