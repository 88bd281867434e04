"""Runs of programs, measured: wall and processor seconds, peak memory. Contestants take
turns, and ratios are of neighbouring runs, so that what slows the machine slows all."""
import os
import statistics
import subprocess
import threading
import time

SAMPLE_SECONDS = 0.05


class Failed(Exception):
    pass


def resident_bytes(pid):
    """Of a process that may be over: None."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") or None
    except (OSError, IndexError):
        return None


def watch_memory(pid, is_over, samples):
    while not is_over.wait(SAMPLE_SECONDS):
        now = resident_bytes(pid)
        if now:
            samples.append(now)


def run(command, cwd=None, env=None, stdout=subprocess.DEVNULL, good=(0,), memory=None):
    """{"seconds", "cpu_seconds", "peak_rss_bytes"} of one run and its children that it waited for.
    memory: a list that gets the resident bytes from begin to end."""
    began = time.monotonic()
    child = subprocess.Popen([str(c) for c in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=stdout,
                             stderr=subprocess.PIPE)
    is_over = threading.Event()
    watcher = threading.Thread(target=watch_memory, args=(child.pid, is_over, memory))
    if memory is not None:
        watcher.start()
    errors = child.stderr.read()
    _pid, status, usage = os.wait4(child.pid, 0)
    is_over.set()
    if memory is not None:
        watcher.join()
    seconds = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in good:
        raise Failed(f"{command[0]} ended with {child.returncode}: {errors[-500:].decode(errors='replace')}")
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_rss_bytes": usage.ru_maxrss * 1024}


def take_turns(contestants, rounds):
    """contestants: name → function that makes one run and returns what run() does. name → its runs.
    When there are several rounds, one more comes first and is not counted."""
    results = {name: [] for name in contestants}
    for function in contestants.values() if rounds > 1 else ():
        function()
    for _ in range(rounds):
        for name, function in contestants.items():
            results[name].append(function())
    return results


def median(results, name, key="seconds"):
    return statistics.median(run[key] for run in results[name])


def medians(results, name):
    return {key: median(results, name, key) for key in results[name][0]}


def ratio(results, above, below, key="seconds"):
    """The median of the ratios of runs that were neighbours: what slows the machine slows both."""
    return statistics.median(a[key] / b[key] for a, b in zip(results[above], results[below]))


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]
