"""A TCP proxy on loopback that cuts, or stalls, the connections that go through it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Forwards to target; after `limit` bytes of answers it cuts all connections, `cuts` times. stall: it goes mute."""

    target: tuple[str, int]
    limit: int
    cuts: int = 1
    stall: bool = False
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    has_cut: threading.Event = field(default_factory=threading.Event)
    passed: int = 0
    pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        """Accept until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                near = self.listener.accept()[0]
                far = socket.create_connection(self.target)
                self.pairs.append((near, far))
                for source, sink, counts in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._forward, args=(source, sink, counts), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while received := source.recv(16_384):
                if counts and self._is_due(len(received)):
                    return
                sink.sendall(received)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _is_due(self, size: int) -> bool:
        with self.lock:
            self.passed += size
            if not self.cuts or self.passed < self.limit:
                return False
            self.cuts, self.passed = self.cuts - 1, 0
            self.has_cut.set()
            if not self.stall:
                self.cut()
            return True

    def cut(self) -> None:
        """Reset every connection, as a crash or a firewall does."""
        for pair in self.pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    one.shutdown(socket.SHUT_RDWR)
                    one.close()
        self.pairs.clear()


@contextlib.contextmanager
def proxy(target: tuple[str, int], limit: int, cuts: int = 1, stall: bool = False) -> Iterator[Proxy]:
    """A running proxy; it and its connections end with the block."""
    found = Proxy(target, limit, cuts, stall)
    threading.Thread(target=found.serve, daemon=True).start()
    try:
        yield found
    finally:
        found.listener.shutdown(socket.SHUT_RDWR)
        found.listener.close()
        found.cut()
