"""A PostgreSQL of a test's own: in a temporary folder, on a Unix socket in it, without TCP, run by an unprivileged
user since it refuses root, and ended with whoever started it."""
import ctypes
import glob
import os
import shutil
import signal
import subprocess
import tempfile

from house import wait

NOBODY = 65534
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def programs():
    """The folder of its programs, or None where it is not installed."""
    asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False) \
        if shutil.which("pg_config") else None
    folders = [asked.stdout.strip()] if asked and asked.returncode == 0 else []
    folders += sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    return next((f for f in folders if os.path.exists(os.path.join(f, "initdb")) and
                 os.path.exists(os.path.join(f, "postgres"))), None)


class Postgres:
    def __init__(self, is_durable=False, settings=()):
        self.bin = programs()
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix="gloss-pg-"))
        self.settings = ["listen_addresses=", "log_min_messages=log", *settings]
        if not is_durable:
            self.settings.append("fsync=off")
        self.process = None
        self.who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if self.who:
            os.chown(self.dir, NOBODY, NOBODY)
        subprocess.run([os.path.join(self.bin, "initdb"), "-D", os.path.join(self.dir, "data"), "-A", "trust",
                        "-U", "gloss", "-E", "UTF8", "--locale=C", "--no-sync"], check=True, cwd=self.dir, env={},
                       stdout=subprocess.DEVNULL, **self.who)
        self.start()

    def start(self):
        command = [os.path.join(self.bin, "postgres"), "-D", os.path.join(self.dir, "data"), "-k", self.dir]
        for setting in self.settings:
            command += ["-c", setting]
        with open(os.path.join(self.dir, "log"), "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.dir, env={}, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, **self.who,
                                            preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT))
        wait("PostgreSQL answers", lambda: self.psql("SELECT 1", check=False).returncode == 0)

    def stop(self, how=signal.SIGINT):
        """SIGINT ends it whoever is connected, SIGQUIT as a crash would."""
        self.process.send_signal(how)
        self.process.wait(60)

    def command(self, *options):
        return [os.path.join(self.bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-U", "gloss",
                "-d", "postgres", *options]

    def psql(self, text, check=True):
        return subprocess.run(self.command("-c", text), capture_output=True, text=True, check=check)

    def ask(self, text):
        """Its first column."""
        return [line.split("|")[0] for line in self.psql(text).stdout.splitlines()]

    def url(self, workspace="", database="postgres"):
        return f"postgres:///{database}?host={self.dir}&user=gloss" + (f"#{workspace}" if workspace else "")

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.dir, ignore_errors=True)
