"""TOTP against RFC 6238's and RFC 4226's vectors, and a sign-in that needs password and code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.identity.mfa import STEP, Login, VirtualMFADevice, hotp, totp

SEED = b"12345678901234567890"
# RFC 6238, appendix B: time, then the eight digits of SHA-1, SHA-256 and SHA-512
RFC_6238 = [(59, "94287082", "46119246", "90693936"), (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"), (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"), (20_000_000_000, "65353130", "77737706", "47863826")]
# RFC 4226, appendix D: the codes of counters 0 to 9
RFC_4226 = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split()


@pytest.mark.parametrize("now, sha1, sha256, sha512", RFC_6238)
def test_codes_are_those_of_rfc_6238(now, sha1, sha256, sha512):
    for algorithm, length, code in (("sha1", 20, sha1), ("sha256", 32, sha256), ("sha512", 64, sha512)):
        assert totp((SEED * 4)[:length], now, digits=8, algorithm=algorithm) == code
    assert totp(SEED, now) == sha1[-6:]  # AWS: six digits, SHA-1


def test_codes_are_those_of_rfc_4226():
    assert [hotp(SEED, counter) for counter in range(10)] == RFC_4226


def device(enabled_at: float | None = 1_000.0, ahead: float = 0.0) -> VirtualMFADevice:
    made = VirtualMFADevice("arn:aws:iam::111122223333:mfa/ann", SEED)
    if enabled_at is not None:
        made.enable(made.code(enabled_at, ahead), made.code(enabled_at + STEP, ahead), enabled_at + STEP)
    return made


def test_two_codes_in_a_row_enable_a_device():
    """IAM API Reference, EnableMFADevice: a code and the subsequent one, else InvalidAuthenticationCode."""
    fresh = device(None)
    first, second, third = (fresh.code(STEP * step) for step in (10, 11, 12))
    for codes in ((first, first), (second, first), (first, third), ("000000", "000001")):
        with pytest.raises(ServiceError, match="InvalidAuthenticationCode"):
            fresh.enable(*codes, now=STEP * 11)
    assert not fresh.enabled
    fresh.enable(first, second, now=STEP * 11)
    assert fresh.enabled
    with pytest.raises(ServiceError, match="InvalidAuthenticationCode"):  # used codes prove nothing
        fresh.enable(first, second, now=STEP * 11)


def test_the_codes_used_to_enable_cannot_sign_in():
    made = device()
    for shown_at in (1_000, 1_030):
        assert "used already" in made.refuses(made.code(shown_at), 1_030)


def test_a_code_is_good_once():
    """RFC 6238, section 5.2: the verifier must not accept the second attempt with the same code."""
    made = device()
    code = made.code(2_000)
    assert made.refuses(code, 2_000) == ""
    assert "used already" in made.refuses(code, 2_001)
    assert made.refuses(made.code(2_030), 2_030) == ""
    assert "used already" in made.refuses(code, 2_030)  # an earlier one neither


@pytest.mark.parametrize("late, accepted", [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_one_step_to_either_side_is_accepted(late, accepted):
    made = device()
    assert (made.refuses(made.code(3_000), 3_000 + late) == "") is accepted


def test_a_slowly_drifting_clock_is_followed_and_a_jump_is_not():
    """RFC 6238, section 6: the verifier remembers how far a device's clock is off."""
    made = device()
    for day in range(1, 8):  # the device gains half a step a day
        now = 10_000 + 86_400 * day
        assert made.refuses(made.code(now, ahead=15 * day), now) == ""
    jumped = device()
    assert jumped.refuses(jumped.code(90_000, ahead=105), 90_000)
    jumped.enable(jumped.code(90_030, ahead=105), jumped.code(90_060, ahead=105), 90_060)  # ResyncMFADevice
    assert jumped.refuses(jumped.code(90_090, ahead=105), 90_090) == ""


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.floats(1_100, 4e9), st.floats(-590, 590))
def test_a_device_with_any_clock_works_once_it_is_in_step(now, ahead):
    made = device(None)
    made.enable(made.code(now, ahead), made.code(now + STEP, ahead), now + STEP)
    assert made.refuses(made.code(now + 2 * STEP, ahead), now + 2 * STEP) == ""


def test_sign_in_stops_at_the_first_stage_that_fails():
    """Given a password and a device, both are needed; a stolen password alone leads to the question for the code."""
    made = device()
    login = Login("right", made)
    assert login.sign_in("wrong", made.code(2_000), 2_000).stage == "password"
    asked = login.sign_in("right", None, 2_000)
    assert (asked.signed_in, asked.stage) == (False, "code")
    for guess in ("000000", "", "no code", "１２３４５６"):
        assert not login.sign_in("right", guess, 2_000).signed_in
    assert login.sign_in("right", made.code(2_000), 2_000).signed_in
    assert not login.sign_in("right", made.code(2_000), 2_010).signed_in
    alone = Login("right").sign_in("right", None, 2_000)
    assert alone.signed_in and "steals" in alone.because


def test_the_wrong_password_does_not_use_up_a_code():
    made = device()
    login = Login("right", made)
    login.sign_in("wrong", made.code(2_000), 2_000)
    assert login.sign_in("right", made.code(2_000), 2_000).signed_in


def test_the_seed_reaches_the_phone():
    made = device(None)
    assert made.base32_string_seed == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert made.uri == f"otpauth://totp/ann@111122223333?secret={made.base32_string_seed}"
