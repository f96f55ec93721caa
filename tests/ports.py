"""Ports for servers that are about to start, and one that nobody ever listens on."""

import socket
from contextlib import suppress
from random import SystemRandom

PORTS = range(12_000, 32_000)
"""Below those that Linux gives to whoever connects: any connection could take a free one before its server does."""
DRAWN = SystemRandom()
HELD: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody has now."""
    while True:
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port := DRAWN.choice(PORTS)))
            return port


def dead_port() -> int:
    """A port that refuses connections for as long as this process lives: it is taken, and nobody listens."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    HELD.append(held)
    return int(held.getsockname()[1])
