"""What moto finds in a browser tab instead of cryptography, a compiled package that cannot be had there.

Every module of it can be imported, and everything in it can be named. Keys and certificates can be made: each has a
number, and proves nothing. A signature is 256 bytes drawn from what is signed; what is encrypted with a private key's
public half is shuffled, and comes back with that key. So SNS signs what it sends, and EC2 hands out key pairs. What would
need the real thing (a key from elsewhere, a cipher, to check a signature) raises ``NotInATab``, in one line.

**Not safe** Whoever knows a key's number reads what was encrypted with it. There are no secrets in a sandbox.
"""

import base64
import hashlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import count
from operator import xor
from types import ModuleType

_REFUSED = "load_", "verify", "encryptor", "decryptor", "exchange"  # how what cannot be done here begins
_SIZE = 256  # bytes of a signature and of what is encrypted, as with an RSA key of 2,048 bits
_numbers = count(1)
_private = {}  # the text of a private key -> that key


class NotInATab(NotImplementedError):
    """This needs real cryptography."""

    def __init__(self, what: str):
        super().__init__(f"{what}() needs the package cryptography, which cannot be had in a browser tab. "
                         "Open this lesson on Binder, or with “make lab”.")

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class _Kind(type):
    """A class whose every attribute can be named: ``Encoding.PEM``."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn()


class StandIn(metaclass=_Kind):
    """An object of cryptography: a key, a certificate, one that builds it, an algorithm."""

    def __init__(self, *_, **__):
        self._number = next(_numbers)

    def sign(self, what, *_, **__):
        return _drawn(what) if isinstance(what, bytes) else self  # else it builds a certificate

    def public_bytes(self, *_, **__) -> bytes:
        return self._text("PUBLIC KEY OR CERTIFICATE")

    def private_bytes(self, *_, **__) -> bytes:
        text = self._text("RSA PRIVATE KEY")
        _private[text] = self
        return text

    def encrypt(self, plain: bytes, *_) -> bytes:
        return self._shuffled(len(plain).to_bytes(2) + plain.ljust(_SIZE - 2, b"\0"))

    def decrypt(self, sealed: bytes, *_) -> bytes:
        plain = self._shuffled(sealed)
        return plain[2:2 + int.from_bytes(plain[:2])]

    def public_key(self, *_):
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _function(name, self)

    def _text(self, what):
        lines = base64.encodebytes(_drawn(b"%d" % self._number))
        return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (what.encode(), lines, what.encode())

    def _shuffled(self, what):
        return bytes(map(xor, what, _drawn(b"shuffled by %d" % self._number)))


class _Everything(MetaPathFinder, Loader):
    """Finds any module below this package."""

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.startswith(f"{__name__}.") else None

    def exec_module(self, module: ModuleType):
        module.__getattr__ = _named


def _named(name):
    """Something in a module: an error, a class or a function, as its name says."""
    if name.startswith("__") or name.islower() and "_" not in name:  # rsa, hashes, x509: modules, to be imported
        raise AttributeError(name)
    if name.startswith(("Invalid", "Unsupported", "Already")) or name.endswith("NotFound"):
        return type(name, (Exception,), {})
    return type(name, (StandIn,), {}) if name[0].isupper() else _function(name)


def _function(name, result=None):
    def function(*given, **__):
        if name == "load_pem_private_key" and bytes(given[0]) in _private:
            return _private[bytes(given[0])]
        if name.startswith(_REFUSED):
            raise NotInATab(name)
        if name == "random_serial_number":
            return next(_numbers)
        return StandIn() if result is None else result
    return function


def _drawn(seed: bytes) -> bytes:
    return hashlib.shake_256(seed).digest(_SIZE)


__getattr__ = _named
sys.meta_path.append(_Everything())
