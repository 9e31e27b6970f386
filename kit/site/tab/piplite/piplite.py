"""``%pip install`` in a tab: says that it can't, in one line. Everything the kit needs is there already.

The kernel imports this module before all others; so here is also what the tab's Python lacks of the standard library.
"""

import hashlib
import hmac
import sys

WORDS = ("A browser tab has no packages but the kit's own, and asks nobody for more: open this on Binder, "
         "or with “make lab”, to install some.")


async def install(*_, **__) -> None:
    """Whatever is asked for: print the line."""
    print(WORDS, file=sys.stderr)


def pbkdf2_hmac(hash_name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None) -> bytes:
    """hashlib's, which Python itself only has together with OpenSSL. RFC 8018, section 5.2."""
    keyed = hmac.new(password, digestmod=hash_name)

    def block(number: int) -> bytes:
        last = _mac(keyed, salt + number.to_bytes(4))
        mixed = int.from_bytes(last)
        for _ in range(iterations - 1):
            last = _mac(keyed, last)
            mixed ^= int.from_bytes(last)
        return mixed.to_bytes(keyed.digest_size)

    length = dklen or keyed.digest_size
    return b"".join(block(number) for number in range(1, -(-length // keyed.digest_size) + 1))[:length]


def _mac(keyed, message: bytes) -> bytes:
    one = keyed.copy()
    one.update(message)
    return one.digest()


if not hasattr(hashlib, "pbkdf2_hmac"):
    hashlib.pbkdf2_hmac = pbkdf2_hmac
