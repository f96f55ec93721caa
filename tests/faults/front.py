"""A TCP server in front of another one, or of none: it passes everything on, or is down, slow or wrong."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

from tests.ports import free_port

GARBAGE = b"\x15\x03\x01\x00\x02\x02\x46 this is not what you asked for \x00\xff" * 8 + b"\r\n\r\n"


class Way(StrEnum):
    """How it behaves. slow: it accepts and never answers. wrong: it answers with bytes that mean nothing."""

    WELL = "well"
    DOWN = "down"
    SLOW = "slow"
    WRONG = "wrong"


@dataclass
class Front:
    """Listens on a loopback port. Connections that are open when the way changes feel it too."""

    target: tuple[str, int] | None = None
    way: Way = Way.WELL
    asked: int = 0
    """How many connections were taken."""
    port: int = field(default_factory=free_port)
    """The same whenever it is up: no connection of others may have taken it meanwhile."""
    _listener: socket.socket | None = None
    _open: list[socket.socket] = field(default_factory=list)
    _passes: threading.Event = field(default_factory=threading.Event)

    def turn(self, way: Way) -> None:
        """Behave so from now on. Open connections: reset when it is down or wrong, mute while it is slow."""
        self.way = way
        (self._passes.set if way is Way.WELL else self._passes.clear)()
        if way in (Way.DOWN, Way.WRONG):
            self._cut()
        if way is Way.DOWN:
            self._close()
        elif self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _close(self) -> None:
        if self._listener is None:
            return
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None

    def _cut(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                self.asked += 1
                self._open.append(near)
                threading.Thread(target=self._answer, args=(near,), daemon=True).start()

    def _answer(self, near: socket.socket) -> None:
        with suppress(OSError):
            if self.way is Way.WRONG:
                near.recv(65_536)
                near.sendall(GARBAGE)
                near.close()
            elif self.way is Way.WELL and self.target:
                far = socket.create_connection(self.target)
                self._open.append(far)
                threading.Thread(target=self._copy, args=(near, far), daemon=True).start()
                self._copy(far, near)

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65_536):
                self._passes.wait()
                sink.sendall(content)
            sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def front(target: tuple[str, int] | None = None, way: Way = Way.WELL) -> Iterator[Front]:
    """A front that ends with the block."""
    found = Front(target)
    found.turn(way)
    try:
        yield found
    finally:
        found.turn(Way.DOWN)
