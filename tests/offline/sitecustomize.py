"""Put on PYTHONPATH, this blocks the network for a Python process; loopback stays open."""

import socket

_connect, _getaddrinfo = socket.socket.connect, socket.getaddrinfo


def _is_local(host):
    return host in (None, "", "localhost", "::1") or str(host).startswith("127.")


def connect(self, address):
    """Refuse to connect to anything but this machine."""
    if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
        raise OSError(101, f"the network is blocked in tests: {address}")
    return _connect(self, address)


def getaddrinfo(host, *args, **kwargs):
    """Refuse to look up any name but this machine's."""
    if not _is_local(host.decode() if isinstance(host, bytes) else host):
        raise socket.gaierror(-3, f"the network is blocked in tests: {host}")
    return _getaddrinfo(host, *args, **kwargs)


socket.socket.connect = connect
socket.getaddrinfo = getaddrinfo
