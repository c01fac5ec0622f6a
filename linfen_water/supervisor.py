"""A small supervisor: starts child processes, restarts what ends, and takes all of them along when it ends itself."""

import ctypes
import dataclasses
import fcntl
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LONG_ENOUGH = 60  # seconds after which a child counts as well started
LONGEST_PAUSE = 30  # seconds between two starts of a child that keeps ending
GRACE = 30  # seconds to end after TERM, before KILL


class AlreadyRunning(Exception):
    """Another instance holds the data directory; the text is its process id."""


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold `lock` while inside, so that one data directory has one instance; raise AlreadyRunning. Ends with the process."""
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@dataclasses.dataclass
class Child:
    """One process that must always run."""

    name: str
    command: list[str]
    process: subprocess.Popen | None = None
    started: float = 0.0
    pause: float = 1.0
    due: float = 0.0

    def tend(self) -> None:
        """Start the child if it is not running and its pause is over."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self._start(now)
            return
        code = self.process.poll()
        if code is None:
            return
        self.pause = 1.0 if now - self.started > LONG_ENOUGH else min(self.pause * 2, LONGEST_PAUSE)
        log.warning("%s (pid %s) ended with %s, starting again in %s s", self.name, self.process.pid, code, self.pause)
        self.process, self.due = None, now + self.pause

    def _start(self, now: float) -> None:
        # A session of its own: Ctrl-C reaches the supervisor alone, which then ends its children in good order.
        self.process = subprocess.Popen(self.command, preexec_fn=_end_with(os.getpid()), start_new_session=True)
        self.started = now
        log.info("%s started (pid %s)", self.name, self.process.pid)

    def end(self, deadline: float) -> None:
        """Wait until the child has ended after TERM; kill it at the deadline."""
        if self.process is None:
            return
        try:
            self.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            log.warning("%s (pid %s) did not end in time and is killed", self.name, self.process.pid)
            self.process.kill()
            self.process.wait()


def supervise(children: list[Child], stop: threading.Event) -> None:
    """Keep `children` running until `stop` is set, then end them: TERM, a grace, KILL."""
    while not stop.is_set():
        for child in children:
            child.tend()
        stop.wait(0.5)
    for child in children:
        if child.process and child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + GRACE
    for child in children:
        child.end(deadline)


def _end_with(parent: int) -> Callable[[], None]:
    """What a child does before it becomes its program: ask for TERM when its parent is gone, however that went."""

    def ask():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # gone already
            os.kill(os.getpid(), signal.SIGTERM)

    return ask
