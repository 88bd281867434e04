"""The few lines of TAP that the lint tests print: one numbered point per check."""
import sys


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def point(self, name, problems=(), notes=()):
        """One test point; it fails when there are problems, which become its diagnostics."""
        self.count += 1
        problems = list(problems)
        if problems:
            self.failed += 1
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for line in problems:
            print(f"# {line}")
        for line in notes:
            print(f"# note: {line}")

    def finish(self):
        print(f"1..{self.count}")
        sys.stdout.flush()
        sys.exit(1 if self.failed else 0)
