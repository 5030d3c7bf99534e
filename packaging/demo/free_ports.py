#!/usr/bin/env python3
"""Ports on loopback for servers that are told where to listen: free_ports.py COUNT prints that many, one a line.

They lie below the range from which the system draws the ports of outgoing connections (32768 and up): a port from that range, free a
moment ago, may belong to somebody's connection when the server starts, or starts again, and the server then cannot listen."""
import contextlib
import random
import socket
import sys

FIRST, LAST = 12000, 30999
claims = []  # a name in the kernel for each port given, until this process ends: no other test program is given it meanwhile


def free_ports(count):
    """`count` ports, none given before by this process, on which nothing listens now. Threads may call this."""
    found = []
    while len(found) < count:
        port = random.randint(FIRST, LAST)
        claim = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError), socket.socket() as probe:
            claim.bind(f"\0greffe-port-{port}")
            probe.bind(("127.0.0.1", port))
            found.append(port)
            claims.append(claim)
    return found

if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1])), sep="\n")
