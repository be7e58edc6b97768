"""WebSocket frames as bytes, made once for everyone who gets them."""

import struct

PING = b"\x89\x00"


def frame(payload: bytes) -> bytes:
    """One unmasked, unfragmented text frame around `payload`: RFC 6455, 5.2."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + payload
    if size < 65536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload
