"""What comes is unpacked piece by piece: a bomb, a body without an end and a damaged one cost no more than a bound."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.edge.http.client import PIECE, START, DamagedBody, read_body

MIB = 1024 * 1024


async def coming(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def got(parts: Iterable[bytes], encoding: str = "", length: str = "", limit: int = MIB) -> tuple[bytes, bool]:
    content, is_whole = asyncio.run(read_body(coming(parts), encoding, length, limit))
    return bytes(content), is_whole


def cut(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def bomb(size: int) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join([*(packing.compress(b" " * MIB) for _ in range(size // MIB)), packing.flush()])


@given(
    st.binary(max_size=5_000), st.integers(1, 5_000), st.integers(1, 600), st.sampled_from(["gzip", "x-gzip", " GZip"])
)
def test_a_packed_body_is_what_was_packed_in_however_many_pieces(body: bytes, times: int, size: int, word: str) -> None:
    body = (body * times)[:40_000]
    assert got(cut(gzip.compress(body), size), word) == (body, True)
    assert got(cut(body, size)) == (body, True)


def test_a_body_of_more_than_a_piece_is_whole() -> None:
    body = bytes(range(256)) * 16_384
    assert len(body) > 2 * PIECE
    assert got(cut(gzip.compress(body), 65_536), "gzip", limit=len(body)) == (body, True)


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_the_bound_itself_is_still_read(encoding: str) -> None:
    def sent(size: int) -> list[bytes]:
        body = b"x" * size
        return cut(gzip.compress(body) if encoding else body, 300)

    assert got(sent(70_000), encoding, limit=70_000) == (b"x" * 70_000, True)
    assert got(sent(70_001), encoding, limit=70_000) == (b"x" * START, False)


def test_what_says_that_it_is_too_large_is_not_read_at_all() -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("nothing is to be read")
        yield b""

    assert got(never(), length="70001", limit=70_000) == (b"", False)
    assert got([b"{}"], length="70000", limit=70_000) == (b"{}", True)
    assert got([b"{}"], length="a lot") == (b"{}", True)


@pytest.mark.parametrize("step", [100, 65_536, 10 * MIB])
def test_a_bomb_takes_no_more_memory_than_the_bound(step: int) -> None:
    parts = cut(bomb(256 * MIB), step)
    tracemalloc.start()
    try:
        content, is_whole = got(parts, "gzip", limit=8 * MIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (content, is_whole) == (b" " * START, False)
    assert peak < 16 * MIB


def test_a_body_without_an_end_is_left_at_the_bound() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 1_000

    assert got(endless(), limit=100_000) == (b" " * START, False)
    assert taken == 101


def test_packed_bytes_that_unpack_to_nothing_have_an_end_too() -> None:
    def endless() -> Iterator[bytes]:
        yield gzip.compress(b"{}")
        while True:
            yield b"\0" * 1_000

    assert got(endless(), "gzip", limit=100_000) == (b"{}", False)


@pytest.mark.parametrize("parts", [[b"no gzip"], [gzip.compress(b"{}")[:-8], b"\0" * 8]])
def test_what_is_not_the_gzip_that_it_says_it_is_is_damaged(parts: list[bytes]) -> None:
    with pytest.raises(DamagedBody):
        got(parts, "gzip")


def test_what_is_packed_in_a_way_that_was_not_asked_for_stays_as_it_came() -> None:
    packed = gzip.compress(b"{}")
    assert got([packed], "br") == (packed, True)
    assert got([packed], "gzip, gzip") == (packed, True)
