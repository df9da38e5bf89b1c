"""The content of arrays, buffers and tensors."""

from __future__ import annotations

import ctypes
import marshal
import zlib
from typing import Any

from jupyter_mlops.runtime.trace.tokens import MANY, PLAIN, Seen, builtin, joined

# Bytes of one array that are compared in full; beyond that, samples.
FULL = 64 << 20
# Bytes from which on an array is big: not compared in full where the cell could not reach it.
BIG = 1 << 20
SAMPLE = 8_192
# Elements from which on the places of an array's texts are compared, not the texts.
POINTERS = 10_000


def buffer(value: Any, near: bool) -> Seen:
    """Look at bytes that can be changed."""
    if type(value) is memoryview:
        return Seen(0, 0, () if value.obj is None else (value.obj,), links=())
    return Seen(len(value), zlib.crc32(value))


def array(value: Any, near: bool) -> Seen:
    """Look at a numpy array: in full, or at samples of a big one that is not near."""
    about = hash((value.shape, value.strides, str(value.dtype)))
    links = () if value.base is None else (id(value.base),)
    if value.dtype.hasobject:
        if value.dtype.names is not None or value.size > MANY:
            return Seen(about, None, links=links)
        if value.size > POINTERS:
            places = _texts_at(value)
            if places is not None:
                found = hash((about, places))
                return Seen(found, found, links=links)
        items = value.ravel().tolist()
        seen = builtin(items, near)
        full = None if seen.full is None else hash((about, seen.full))
        return Seen(hash((about, seen.quick)), full, seen.below, links=links)
    flat = _flat(value)
    if flat is not None and flat.nbytes <= BIG:
        found = hash((about, zlib.crc32(flat)))
        return Seen(found, found, links=links)
    quick = hash((about, zlib.crc32(_bytes(_sample(value)))))
    full = None
    if near and value.nbytes <= FULL:
        full = zlib.crc32(flat if flat is not None else _bytes(value))
    return Seen(quick, full, links=links)


_plain: set[tuple[int, int]] = set()


def _texts_at(value: Any) -> object:
    """Return a checksum of where the texts of an array are: cheaper than of what they are.

    A text never changes; that so many were replaced by others at the same places does not occur.
    ``None`` where there is anything in it that could change.
    """
    import numpy

    items = numpy.ascontiguousarray(value).reshape(-1)
    places = items.size, zlib.crc32(ctypes.string_at(items.ctypes.data, items.nbytes))
    if places not in _plain:
        if not PLAIN.issuperset(map(type, items.tolist())):
            return None
        if len(_plain) > 1000:
            _plain.clear()
        _plain.add(places)
    some = items[:: items.size // 256].tolist()
    return (*places, marshal.dumps(some, 2)) if PLAIN.issuperset(map(type, some)) else None


def _bytes(value: Any) -> Any:
    import numpy

    return numpy.ascontiguousarray(value).reshape(-1).view("u1")


def _flat(value: Any) -> Any:
    """Return an array's memory as bytes, without a copy unless it is small."""
    import numpy

    plain = value.view(numpy.ndarray)
    if not plain.flags.c_contiguous:
        plain = plain.T
    if not plain.flags.c_contiguous:
        if plain.nbytes > BIG:
            return None
        plain = numpy.ascontiguousarray(plain)
    return plain.reshape(-1).view("u1")


def _sample(value: Any) -> Any:
    import numpy

    plain = value.view(numpy.ndarray)
    step = max(1, -(-plain.size // SAMPLE))
    if plain.flags.c_contiguous:
        return plain.reshape(-1)[::step]
    if plain.flags.f_contiguous:
        return plain.T.reshape(-1)[::step]
    return plain.flat[::step]


def tensor(value: Any, near: bool) -> Seen:
    """Look at a tensor of torch, by its version where its memory is elsewhere."""
    version, place = value._version, value.data_ptr()
    about = hash((version, place, tuple(value.shape), str(value.dtype), value.requires_grad))
    links = (("storage", value.untyped_storage()._cdata),)
    below = () if value.grad is None else (value.grad,)
    if value.device.type != "cpu":
        return Seen(about, about, below, links=links)
    seen = array(value.detach().contiguous().view(-1).numpy(), near)
    return joined([seen], about, below, links)
