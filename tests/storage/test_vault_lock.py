"""Vault Lock, held to the pages of the Amazon Glacier Developer Guide that the docstrings name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kit.errors import ServiceError
from kit.storage.vault_lock import DAY, VaultLock, may_delete_archive, retention

ARN = "arn:aws:glacier:us-west-2:123456789012:vaults/examplevault"
HOUR = 3600
YEAR_OLD = retention(ARN, 365)
ANN = "arn:aws:iam::123456789012:user/ann"
ANN_MAY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "glacier:*", "Resource": "*"}]}
LEGAL_HOLD = {"Version": "2012-10-17", "Statement": [  # the guide's second example
    {"Sid": "lock-vault", "Principal": "*", "Effect": "Deny", "Action": ["glacier:DeleteArchive"], "Resource": [ARN],
     "Condition": {"StringLike": {"glacier:ResourceTag/LegalHold": ["true", ""]}}},
    {"Sid": "you-can-delete-archive-less-than-1-year-old", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
     "Effect": "Allow", "Action": ["glacier:DeleteArchive"], "Resource": [ARN],
     "Condition": {"NumericLessThan": {"glacier:ArchiveAgeInDays": "365"}}}]}


def refused(code, act, *arguments, **named):
    with pytest.raises(ServiceError) as error:
        act(*arguments, **named)
    assert error.value.code == code


def begun():
    lock = VaultLock(ARN)
    return lock, lock.initiate_vault_lock(YEAR_OLD, now=0)["lockId"]


def test_given_a_lock_in_progress_when_24_hours_pass_then_the_policy_is_gone():
    """Initiate Vault Lock: "after the 24 hour window ends, the lock ID expires"."""
    lock, lock_id = begun()
    assert lock.get_vault_lock(now=24 * HOUR - 1) == {"Policy": json.dumps(YEAR_OLD), "State": "InProgress",
                                                      "CreationDate": 0, "ExpirationDate": 24 * HOUR}
    refused("ResourceNotFoundException", lock.get_vault_lock, now=24 * HOUR)
    refused("ResourceNotFoundException", lock.complete_vault_lock, lock_id, now=24 * HOUR)
    assert lock.policy(now=24 * HOUR) is None
    assert lock.initiate_vault_lock(YEAR_OLD, now=25 * HOUR)["lockId"] != lock_id


def test_given_the_right_lock_id_in_time_when_completed_then_it_is_locked_for_ever():
    """Complete Vault Lock; Abort Vault Lock: AccessDeniedException once it is Locked."""
    lock, lock_id = begun()
    lock.complete_vault_lock(lock_id, now=24 * HOUR - 1)
    assert lock.get_vault_lock(now=10 * 365 * DAY)["State"] == "Locked"
    assert lock.get_vault_lock(now=10 * 365 * DAY)["ExpirationDate"] is None
    lock.complete_vault_lock(lock_id, now=2 * DAY)  # idempotent
    refused("AccessDeniedException", lock.complete_vault_lock, "another", now=2 * DAY)
    refused("AccessDeniedException", lock.abort_vault_lock, now=2 * DAY)
    refused("AccessDeniedException", lock.initiate_vault_lock, YEAR_OLD, now=2 * DAY)
    assert json.loads(lock.policy(now=10 * 365 * DAY)) == YEAR_OLD


def test_given_a_wrong_lock_id_in_progress_then_the_parameter_is_invalid_and_nothing_is_locked():
    """Complete Vault Lock: InProgress with an invalid lock ID is an invalid parameter."""
    lock, lock_id = begun()
    refused("InvalidParameterValueException", lock.complete_vault_lock, lock_id + "x", now=1)
    assert lock.state(now=1) == "InProgress"


def test_given_a_lock_in_progress_then_another_needs_an_abort_first():
    """Initiate Vault Lock: "you must call AbortVaultLock before"; Abort Vault Lock is idempotent."""
    lock, lock_id = begun()
    refused("AccessDeniedException", lock.initiate_vault_lock, YEAR_OLD, now=1)
    lock.abort_vault_lock(now=2)
    lock.abort_vault_lock(now=3)
    assert lock.state(now=3) is None
    lock.initiate_vault_lock(YEAR_OLD, now=4)
    refused("InvalidParameterValueException", lock.complete_vault_lock, lock_id, now=5)  # the old lock's ID


def test_no_policy_no_lock():
    """Get Vault Lock: 404 without a policy; Initiate Vault Lock: up to 20 KB."""
    lock = VaultLock(ARN)
    refused("ResourceNotFoundException", lock.get_vault_lock, now=0)
    refused("ResourceNotFoundException", lock.complete_vault_lock, "x", now=0)
    refused("InvalidParameterValueException", lock.initiate_vault_lock, {"Statement": []}, now=0)
    long = retention(ARN, 1) | {"Id": "x" * 20 * 1024}
    refused("InvalidParameterValueException", lock.initiate_vault_lock, long, now=0)
    assert lock.state(now=0) is None


@given(st.integers(0, 5000), st.floats(0, 0.999), st.integers(1, 4000))
def test_an_archive_is_deleted_from_its_age_on_and_not_before(days, part, kept):
    """Vault Lock Policies, example 1, for any number of days: not even the root user deletes earlier."""
    decision = may_delete_archive(ARN, (days + part) * DAY, lock=retention(ARN, kept))
    assert decision.outcome == ("allowed" if days >= kept else "explicitDeny")


def test_an_identity_policy_does_not_help_against_the_lock_and_is_needed_without():
    arguments = {"lock": YEAR_OLD, "principal": ANN}
    assert may_delete_archive(ARN, 364 * DAY, identity=ANN_MAY, **arguments).outcome == "explicitDeny"
    assert may_delete_archive(ARN, 365 * DAY, identity=ANN_MAY, **arguments).allowed
    assert may_delete_archive(ARN, 365 * DAY, **arguments).outcome == "implicitDeny"
    assert any("deny-based-on-archive-age" in line for line in may_delete_archive(ARN, 0, lock=YEAR_OLD).because)


def test_the_access_policy_grants_and_the_lock_overrides_it():
    """Amazon Glacier Vault Lock: both are used together; the lock denies deletes, the access policy allows others."""
    access = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "glacier:DeleteArchive", "Resource": ARN}]}
    assert may_delete_archive(ARN, DAY, access=access, principal=ANN).allowed
    assert may_delete_archive(ARN, DAY, access=access, lock=YEAR_OLD, principal=ANN).outcome == "explicitDeny"
    assert may_delete_archive(ARN, 400 * DAY, access=access, lock=YEAR_OLD, principal=ANN).allowed


@pytest.mark.parametrize("tag, age, outcome", [
    ("true", 10, "explicitDeny"), ("", 10, "explicitDeny"), ("false", 10, "allowed"), (None, 10, "allowed")])
def test_a_legal_hold_stands_above_the_age(tag, age, outcome):
    """Vault Lock Policies, example 2."""
    tags = {} if tag is None else {"LegalHold": tag}
    assert may_delete_archive(ARN, age * DAY, lock=LEGAL_HOLD, tags=tags).outcome == outcome


class AnyStory(RuleBasedStateMachine):
    """Whatever is called at whatever time: once locked, the policy of that moment stays."""

    @initialize()
    def begin(self):
        self.lock, self.now, self.ids, self.locked = VaultLock(ARN), 0.0, ["none"], None

    @rule(hours=st.sampled_from([0.5, 6, 23, 24, 30]))
    def wait(self, hours):
        self.now += hours * HOUR

    @rule(days=st.integers(1, 9))
    def initiate(self, days):
        if self.lock.state(self.now) is None:
            self.ids.append(self.lock.initiate_vault_lock(retention(ARN, days), self.now)["lockId"])
        else:
            refused("AccessDeniedException", self.lock.initiate_vault_lock, YEAR_OLD, self.now)

    @rule(choice=st.integers(0, 99))
    def complete(self, choice):
        wanted, state, newest = self.ids[choice % len(self.ids)], self.lock.state(self.now), self.ids[-1]
        if state is None or wanted != newest:
            with pytest.raises(ServiceError):
                self.lock.complete_vault_lock(wanted, self.now)
        else:
            self.lock.complete_vault_lock(wanted, self.now)
            self.locked = self.lock.policy(self.now)

    @rule()
    def abort(self):
        if self.locked:
            refused("AccessDeniedException", self.lock.abort_vault_lock, self.now)
        else:
            self.lock.abort_vault_lock(self.now)

    @invariant()
    def what_is_locked_stays(self):
        if self.locked:
            assert self.lock.state(self.now) == "Locked" and self.lock.policy(self.now) == self.locked


TestAnyStory = AnyStory.TestCase
