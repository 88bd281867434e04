"""kill -9 of editors, bridges, engines, servers and their guards at random moments: what is left of them afterwards.
orphans.py [--kills N] [--seed N]. The server forks a child that would survive all but SIGKILL."""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
from house import House, wait  # noqa: E402

HOUSES = 6  # side by side: most of the time is spent waiting for graces
GONE_S = float(os.environ.get("GLOSS_TEST_ORPHAN_S", "10"))  # two graces of 2 s, on a loaded machine
EARLY = 0.2  # of the rounds are over before anything is up
SERVER = {"leaves_child": True, "hover": [{"silent": True}]}


class Round:
    """An editor comes, and some of what it needs is killed."""

    def __init__(self, house, dice, number):
        self.house, self.dice = house, dice
        house.write(f"src/r{number}.c", "".join(f"int r{number}_{i}(void) {{ return {i}; }}\n" for i in range(20)))
        env = {**house.env, "GLOSS_UNDER_TEST": house.bin}
        with open(os.path.join(house.dir, "stderr"), "ab") as err:
            self.editor = subprocess.Popen([sys.executable, os.path.join(HERE, "lib", "editor.py"), house.tree],
                                           env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
        house.started.append(self.editor)

    def of(self, part):
        """Pids by what their command line has."""
        return {pid for pid, line in self.house.pids().items() if part in line}

    def servers(self):
        """The server and the child it left; not their guard."""
        return {pid for pid, line in self.house.pids().items() if os.path.basename(line.split()[0]) == "fake_ls"}

    def server(self):
        """The server itself: the first pid of its last life."""
        with open(os.path.join(self.house.dir, "heard"), encoding="utf-8", errors="replace") as f:
            lines = f.read().split("\n")
        last = len(lines) - 1 - lines[::-1].index("life")
        return int(lines[last + 1].split()[1])

    def kill(self, victims):
        done = []
        for name, pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
                done.append(name)
            except ProcessLookupError:
                pass  # another's death took it along
        self.editor.wait(GONE_S)
        self.editor.stdout.close()
        return done

    def gone(self, what, pids):
        left = wait_gone(self.house, pids)
        assert not left, f"{what}: left {left}"

    def early(self):
        time.sleep(self.dice.uniform(0, 0.2))  # the moment is what is random here
        done = self.kill([("editor", self.editor.pid)])
        wait("its bridge is gone", lambda: not self.of(" lsp"), GONE_S)
        return done

    def run(self):
        if self.dice.random() < EARLY:
            return self.early()
        bridge = self.editor.stdout.readline()
        wait("server and child", lambda: len(self.servers()) >= 2 or self.editor.poll() is not None)
        if self.editor.poll() is not None:
            raise AssertionError("the editor was turned away")
        bridge, engine = int(bridge), next(iter(self.of(" serve")))
        pids = {"editor": self.editor.pid, "bridge": bridge, "engine": engine, "server": self.server()}
        guards = self.of(" __guard ")
        pids["guard"] = self.dice.choice(sorted(guards))
        before = set(self.house.pids())
        servers = self.servers() | guards
        time.sleep(self.dice.uniform(0, 0.1))
        names = self.dice.sample(list(pids), self.dice.choice((1, 1, 2, 2, 3, 4)))
        if not {"editor", "bridge", "engine"} & set(names):
            names.append("editor")  # that the round ends
        done = self.kill([(name, pids[name]) for name in names])
        if "engine" in done:
            self.gone(f"after kill -9 of {done}", before)
        else:
            ended = servers if {"server", "guard"} & set(done) else set()
            self.gone(f"after kill -9 of {done}", {pids["editor"], bridge} | ended)
        return done


def wait_gone(house, pids):
    """What of them is still there when the time is over."""
    end = time.monotonic() + GONE_S
    while True:
        left = {pid: line for pid, line in house.pids().items() if pid in pids}
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.02)


class Street(threading.Thread):
    """Rounds in one house until all together have killed enough."""
    lock = threading.Lock()
    killed = []

    def __init__(self, seed, wanted):
        super().__init__()
        self.dice, self.wanted, self.problems = random.Random(seed), wanted, []

    def run(self):
        house = House()
        try:
            scenario = os.path.join(house.dir, "scenario.json")
            with open(scenario, "w", encoding="utf-8") as f:
                json.dump({"lives": [SERVER]}, f)
            house.config({"servers": [{"name": "fake", "languages": ["c"],
                                       "command": [os.environ["GLOSS_FAKE_LS"], scenario,
                                                   os.path.join(house.dir, "heard")]}]})
            house.env["GLOSS_ENGINE_IDLE_EXIT_S"] = "1"
            number = 0
            while len(Street.killed) < self.wanted and not self.problems:
                number += 1
                done = Round(house, self.dice, number).run()
                with Street.lock:
                    Street.killed += done
            house.wait_empty(1 + GONE_S)  # the engine by itself, with its servers
        except Exception:  # noqa: BLE001: whatever it was, it is this run's failure
            self.problems += traceback.format_exc().rstrip().split("\n") + house.story()
        self.problems += [f"at the end: {line}" for line in house.close()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = parser.parse_args()
    start = time.monotonic()
    streets = [Street(args.seed + i, args.kills) for i in range(HOUSES)]
    for street in streets:
        street.start()
    for street in streets:
        street.join()
    problems = [line for street in streets for line in street.problems]
    counts = ", ".join(f"{name} {Street.killed.count(name)}"
                       for name in ("editor", "bridge", "engine", "server", "guard"))
    print("1..1")
    print(f"{'not ok' if problems else 'ok'} 1 - {len(Street.killed)} times kill -9 ({counts}): nothing is left")
    print(f"# --seed {args.seed}, {time.monotonic() - start:.1f} s")
    for line in problems:
        print(f"# {line}")
    sys.exit(1 if problems else 0)


main()
