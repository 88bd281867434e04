"""Programs that take turns a moment long: all but one are stopped, with whatever they started. A machine whose speed
changes from one ten seconds to the next (of a host with other guests) changes it for all of them alike."""
import collections
import os
import pathlib
import signal
import subprocess
import time

SLICE_SECONDS = 0.25


def tree_of(pid):
    """The process and what came of it, parents first."""
    children = collections.defaultdict(list)
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_bytes()
            except OSError:
                continue
            children[int(stat.rpartition(b")")[2].split()[1])].append(int(entry.name))
    found = [pid]
    for parent in found:
        found += children[parent]
    return found


def tell(pid, number):
    """A signal for all of them, and for those that they started meanwhile."""
    told = set()
    while new := [p for p in tree_of(pid) if p not in told]:
        for process in new:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass
        told.update(new)


def run_for_a_slice(child):
    try:
        child.wait(SLICE_SECONDS)
    except subprocess.TimeoutExpired:
        tell(child.pid, signal.SIGSTOP)


def take_slices(starts):
    """starts: name → function that starts a program, a Popen. → name → its slices, [(from, to)] of time.time().
    A program that fails ends all of them."""
    children, slices = {}, {name: [] for name in starts}
    waiting = list(starts)
    try:
        while waiting:
            for name in waiting:
                began = time.time()
                if name in children:
                    tell(children[name].pid, signal.SIGCONT)
                else:
                    children[name] = starts[name]()
                run_for_a_slice(children[name])
                slices[name].append((began, time.time()))
                if children[name].returncode:
                    raise subprocess.CalledProcessError(children[name].returncode, name)
            waiting = [name for name in waiting if children[name].returncode is None]
    finally:
        for name in waiting:
            if name in children and children[name].returncode is None:
                tell(children[name].pid, signal.SIGKILL)
                children[name].wait()
    return slices


def seconds_until(moment, slices):
    """How long it had run by then."""
    return sum(min(to, moment) - began for began, to in slices if began < moment)
