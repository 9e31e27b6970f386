"""Multi-factor authentication: a code that changes every 30 seconds, and a sign-in that asks for it.

Device and AWS share a secret. Both put the secret and the number of the current 30-second step into a hash and keep
six digits of it. Nothing travels but the code, and a code that has been used, or whose step is past, is worthless.

**Simplified** One virtual device a user or root (AWS lets each have eight, of several types). The step before and the
step after the present one are accepted, as RFC 6238 advises; AWS does not publish its window.
**Not modelled** Passkeys and security keys, hardware tokens, lock-out after many failures, session cookies.

RFC 6238 "TOTP: Time-Based One-Time Password Algorithm", RFC 4226 "HOTP". IAM User Guide, read 2026-11-23: "AWS
Multi-factor authentication in IAM", "Assign a virtual MFA device in the AWS Management Console". IAM API Reference:
"CreateVirtualMFADevice", "EnableMFADevice", "ResyncMFADevice".
"""

import hmac
from base64 import b32encode
from dataclasses import dataclass
from hashlib import pbkdf2_hmac

from kit.errors import ServiceError

STEP = 30  # seconds; the X of RFC 6238 and what AWS's virtual devices use
DIGITS = 6  # IAM API Reference, EnableMFADevice
WINDOW = 1  # steps to either side of the present one, RFC 6238 section 5.2
SEARCH = 20  # steps to either side within which two codes in a row are looked for; this kit's choice
ROUNDS = 1_000  # of PBKDF2; far too few for a real service, enough to keep a password unreadable here


def totp(secret: bytes, now: float, digits: int = DIGITS, step: int = STEP, algorithm: str = "sha1") -> str:
    """The code of RFC 6238 at ``now`` (seconds since 1970). algorithm: sha1 (AWS), sha256 or sha512."""
    return hotp(secret, int(now // step), digits, algorithm)


def hotp(secret: bytes, counter: int, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """The code of RFC 4226 for a counter: four bytes of a keyed hash, at a place the hash itself names."""
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), algorithm)
    place = digest[-1] & 0xF
    number = int.from_bytes(digest[place:place + 4], "big") & 0x7FFF_FFFF
    return str(number % 10 ** digits).zfill(digits)


@dataclass(frozen=True)
class SignIn:
    """stage: "password" or "code", where it stopped, or "done". because: what to tell whom (the user hears less)."""

    signed_in: bool
    stage: str
    because: str


class Login:
    """A password, and the device that goes with it once one is enabled."""

    def __init__(self, password: str, device: "VirtualMFADevice | None" = None):
        self._hash = self._hashed(password)
        self.device = device

    def sign_in(self, password: str, code: str | None, now: float) -> SignIn:
        """Two stages: first the password, then, with a device enabled, its code. A used code is refused."""
        if not hmac.compare_digest(self._hash, self._hashed(password)):
            return SignIn(False, "password", "The password is wrong, so no code is asked for.")
        if not self.device:
            return SignIn(True, "done", "The password is right, and no MFA device asks for more. Whoever steals the "
                                        "password is in.")
        if code is None:
            return SignIn(False, "code", "The password is right; now the code of the MFA device is needed.")
        refusal = self.device.refuses(code, now)
        return SignIn(not refusal, "code" if refusal else "done", refusal or "Password and code are right.")

    @staticmethod
    def _hashed(password: str) -> bytes:
        return pbkdf2_hmac("sha256", password.encode(), b"one salt for a toy", ROUNDS)


class VirtualMFADevice:
    """The shared secret, as AWS keeps it: which step was used last, and how far the device's clock is off."""

    def __init__(self, serial_number: str, seed: bytes):
        """serial_number: the device's ARN. seed: the shared secret."""
        self.serial_number, self.seed = serial_number, seed
        self.enabled = False
        self._drift = 0  # steps that the device's clock is ahead of AWS's
        self._last = -1  # the counter of the last code accepted

    @property
    def base32_string_seed(self) -> str:
        """The secret as one types it into an authenticator app."""
        return b32encode(self.seed).decode().rstrip("=")

    @property
    def uri(self) -> str:
        """What the QR code says."""
        name, account = self.serial_number.split("/")[-1], self.serial_number.split(":")[4]
        return f"otpauth://totp/{name}@{account}?secret={self.base32_string_seed}"

    def code(self, now: float, ahead: float = 0.0) -> str:
        """What the device shows at ``now`` when its clock is ``ahead`` seconds ahead."""
        return totp(self.seed, now + ahead)

    def enable(self, authentication_code1: str, authentication_code2: str, now: float) -> None:
        """Two codes in a row prove that the device has the secret and show how far its clock is off.

        Also what ResyncMFADevice does. Raises ServiceError InvalidAuthenticationCode.
        """
        present = int(now // STEP)
        for counter in sorted(range(present - SEARCH, present + SEARCH), key=lambda one: abs(one - present)):
            if counter > self._last and counter >= 0 and (hotp(self.seed, counter), hotp(self.seed, counter + 1)) == (
                    authentication_code1, authentication_code2):
                self.enabled, self._drift, self._last = True, counter + 1 - present, counter + 1
                return
        raise ServiceError("InvalidAuthenticationCode", "give two codes that the device showed one after the other: "
                                                        "wait for the second, it comes within 30 seconds")

    def refuses(self, code: str, now: float) -> str:
        """Why the code is refused, or "" when it is accepted; then it cannot be used again."""
        expected = int(now // STEP) + self._drift
        for off in sorted(range(-WINDOW, WINDOW + 1), key=abs):
            counter = expected + off
            if counter >= 0 and hmac.compare_digest(hotp(self.seed, counter).encode(), str(code).encode()):
                if counter <= self._last:
                    return "This code, or a later one, was used already: wait for the next."
                self._drift, self._last = self._drift + off, counter
                return ""
        return "The code is wrong, or of a time too long past."
