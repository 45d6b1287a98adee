"""The body of an answer: bytes as they come, unpacked piece by piece and never beyond a bound, and the JSON in them.

What a server answers is not trusted: a few bytes may unpack to gigabytes, and a body may never end. Knows no request,
no status and no library of HTTP.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, NoReturn

from trueup.core.call import Body

ENCODING: Final = "gzip"
"""How a server may pack its answer; it is unpacked in pieces, so that a small one cannot fill the memory."""

PIECE: Final = 1024 * 1024
"""Bytes that are unpacked at a time, at most."""

DEPTH: Final = 200
"""Levels of nesting in an answer's JSON; anything deeper is no assistant."""

START: Final = 64 * 1024
"""Bytes that are kept of a body that is too large."""


class Damaged(Exception):
    """A body whose packing cannot be taken apart."""


async def read(raw: AsyncIterator[bytes], encoding: str, length: str, limit: int) -> tuple[bytearray, bool]:
    """The unpacked body and whether it is all of it; of one that is larger than `limit` bytes only the start is kept.

    `encoding` and `length` are what the headers say of the body, `length` of the packed one.
    Raises `Damaged`.
    """
    content, packed = bytearray(), _Packed(encoding)
    if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > limit:
        return content, False
    came = 0
    async for data in raw:
        came += len(data)
        for piece in packed.pieces(data):
            content += piece
            if len(content) > limit:
                break
        if len(content) > limit or came > limit:  # packed bytes may unpack to nothing for ever
            del content[START:]
            return content, False
    content += packed.rest()
    return content, True


def parsed(content: bytes | bytearray) -> Any:
    """The JSON of a body, or `Body.NOT_JSON` for anything that no JSON reader should take."""
    try:
        value = json.loads(content, parse_constant=_refused, parse_float=_finite, parse_int=_bounded)
    except (ValueError, RecursionError):
        return Body.NOT_JSON
    level: list[Any] = [[value]]
    depth = 0
    while level:
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        depth += 1
        if depth > DEPTH:
            return Body.NOT_JSON
    return value


class _Packed:
    """A body as its `Content-Encoding` says, taken apart. Any but gzip was not asked for, and stays as it comes."""

    def __init__(self, encoding: str) -> None:
        is_gzip = encoding.strip().lower() in ("gzip", "x-gzip")
        self._inside = zlib.decompressobj(zlib.MAX_WBITS | 16) if is_gzip else None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The unpacked bytes, a piece at a time. Raises `Damaged`."""
        if self._inside is None:
            yield data
            return
        while data and not self._inside.eof:
            try:
                piece = self._inside.decompress(data, PIECE)
            except zlib.error:
                raise Damaged("what came is not the gzip that it says it is") from None
            data = self._inside.unconsumed_tail
            yield piece

    def rest(self) -> bytes:
        """What little was held back, at the end."""
        return self._inside.flush() if self._inside is not None else b""


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is beyond all bounds")
    return number


def _bounded(text: str) -> int:
    if len(text) > 300:  # more digits than any number that a double can hold
        raise ValueError("a number is beyond all bounds")
    return int(text)
