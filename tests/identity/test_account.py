"""The account: quotas, deletion, policies, credentials, the credential report."""

import csv
import json
from io import StringIO

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kit.errors import ServiceError
from kit.identity.account import FRESH, Account
from kit.identity.iam import Request, evaluate
from kit.identity.identities import ADJUSTABLE, QUOTAS

READ = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}
WRITE = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Put*", "Resource": "*"}}
TRUST = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"},
                                                "Action": "sts:AssumeRole"}}
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def refused(code, function, *arguments, **named):
    with pytest.raises(ServiceError) as refusal:
        function(*arguments, **named)
    assert refusal.value.code == code
    return refusal.value.message


def allowed(account, who, action):
    one = account.identity(who)
    request = Request(one.arn, action, "arn:aws:s3:::b/k", account.keys_of(who))
    return evaluate(request, **account.policies_of(who)).outcome


def test_the_quotas_are_those_of_the_page():
    """"IAM and AWS STS quotas"; What's New, 2026-08-19: 20 managed policies per role."""
    summary = Account().get_account_summary()
    wanted = {"UsersQuota": 5_000, "GroupsQuota": 300, "RolesQuota": 1_000, "GroupsPerUserQuota": 10,
              "AttachedPoliciesPerUserQuota": 10, "AttachedPoliciesPerGroupQuota": 10,
              "AttachedPoliciesPerRoleQuota": 20, "AccessKeysPerUserQuota": 2, "VersionsPerPolicyQuota": 5,
              "PoliciesQuota": 1_500}
    assert {name: summary[name] for name in wanted} == wanted


def test_the_user_after_the_five_thousandth_is_refused():
    account = Account()
    for number in range(5_000):
        account.create_user(f"user{number}")
    assert "UsersPerAccount: 5000" in refused("LimitExceeded", account.create_user, "one-too-many")
    account.delete_user("user7")
    account.create_user("one-too-many")
    assert account.get_account_summary()["Users"] == 5_000


def test_groups_and_roles_are_bounded_too():
    account = Account(quotas={"GroupsQuota": 3, "RolesQuota": 2})
    for number in range(3):
        account.create_group(f"g{number}")
    refused("LimitExceeded", account.create_group, "g3")
    for number in range(2):
        account.create_role(f"r{number}", TRUST)
    refused("LimitExceeded", account.create_role, "r2", TRUST)


def test_a_user_is_in_ten_groups_at_most_and_that_is_fixed():
    account = Account()
    account.create_user("ann")
    for number in range(11):
        account.create_group(f"g{number}")
    for number in range(10):
        account.add_user_to_group(f"g{number}", "ann")
    account.add_user_to_group("g0", "ann")  # once more is no more
    assert "GroupsPerUser: 10" in refused("LimitExceeded", account.add_user_to_group, "g10", "ann")
    raise_quota = account.request_service_quota_increase
    assert "fixed" in refused("IllegalArgumentException", raise_quota, "GroupsPerUserQuota", 20)


@pytest.mark.parametrize("kind, most, raised", [("user", 10, 20), ("group", 10, None), ("role", 20, 25)])
def test_managed_policies_are_bounded_for_each_identity(kind, most, raised):
    account = Account()
    {"user": account.create_user, "group": account.create_group,
     "role": lambda name: account.create_role(name, TRUST)}[kind]("one")
    attach = getattr(account, f"attach_{kind}_policy")
    arns = [account.create_policy(f"p{number}", READ).arn for number in range((raised or most) + 1)]
    for arn in arns[:most]:
        attach("one", arn)
    attach("one", arns[0])
    assert f"PoliciesPer{kind.capitalize()}: {most}" in refused("LimitExceeded", attach, "one", arns[most])
    quota = f"AttachedPoliciesPer{kind.capitalize()}Quota"
    if raised is None:
        refused("IllegalArgumentException", account.request_service_quota_increase, quota, most + 1)
        return
    refused("IllegalArgumentException", account.request_service_quota_increase, quota, raised + 1)
    account.request_service_quota_increase(quota, raised)
    for arn in arns[most:raised]:
        attach("one", arn)
    refused("LimitExceeded", attach, "one", arns[raised])


def test_quotas_are_a_parameter_and_unknown_ones_a_mistake():
    assert Account(quotas={"AttachedPoliciesPerRoleQuota": 10}).quotas["AttachedPoliciesPerRoleQuota"] == 10
    assert set(ADJUSTABLE) <= set(QUOTAS) and all(ADJUSTABLE[name] > QUOTAS[name] for name in ADJUSTABLE)
    with pytest.raises(ValueError, match="UsersQuota"):
        Account(quotas={"Users": 3})
    with pytest.raises(ValueError, match="12 digits"):
        Account("1111")


def test_two_access_keys_allow_a_rotation():
    """"Manage access keys for IAM users": make the second, move over, make the first inactive, delete it."""
    account = Account()
    account.create_user("ann")
    old, new = account.create_access_key("ann", now=0), account.create_access_key("ann", now=86_400)
    assert "AccessKeysPerUser: 2" in refused("LimitExceeded", account.create_access_key, "ann")
    assert len(old.access_key_id) == 20 and len(old.secret_access_key) == 40 and old.access_key_id != new.access_key_id
    account.update_access_key("ann", old.access_key_id, "Inactive")
    assert account.find_access_key(old.access_key_id)[1].status == "Inactive"
    account.delete_access_key("ann", old.access_key_id)
    assert account.find_access_key(old.access_key_id) is None
    account.create_access_key("ann")
    refused("NoSuchEntity", account.delete_access_key, "ann", old.access_key_id)
    refused("ValidationError", account.update_access_key, "ann", new.access_key_id, "Off")


def test_names_are_taken_whatever_the_capitals():
    account = Account()
    account.create_user("ann")
    refused("EntityAlreadyExists", account.create_user, "Ann")
    account.create_group("ann")
    account.create_role("ann", TRUST)
    for name in ("", "two words", "a/b", "x" * 65, "é"):
        refused("ValidationError", account.create_user, name)
    account.create_group("x" * 128)
    assert account.create_user("bob", "/div/sub/").arn == "arn:aws:iam::111122223333:user/div/sub/bob"
    refused("ValidationError", account.create_user, "eve", "div")


def test_a_user_in_use_is_not_deleted():
    """IAM API Reference, DeleteUser: the items to remove first; each one left gives DeleteConflict."""
    account = Account()
    account.create_user("ann")
    account.create_group("devs")
    key = account.create_access_key("ann")
    account.create_login_profile("ann", "secret")
    device = account.create_virtual_mfa_device("ann")
    account.enable_mfa_device("ann", device.serial_number, device.code(300), device.code(330), now=330)
    account.attach_user_policy("ann", ADMIN)
    account.put_user_policy("ann", "inline", READ)
    account.add_user_to_group("devs", "ann")
    for remove, arguments in ((account.delete_login_profile, ["ann"]),
                              (account.delete_access_key, ["ann", key.access_key_id]),
                              (account.deactivate_mfa_device, ["ann", device.serial_number]),
                              (account.detach_user_policy, ["ann", ADMIN]),
                              (account.delete_user_policy, ["ann", "inline"]),
                              (account.remove_user_from_group, ["devs", "ann"])):
        refused("DeleteConflict", account.delete_user, "ann")
        if remove == account.remove_user_from_group:
            refused("DeleteConflict", account.delete_group, "devs")
        remove(*arguments)
        refused("NoSuchEntity", remove, *arguments)
    account.delete_user("ann")
    account.delete_group("devs")
    account.delete_virtual_mfa_device(device.serial_number)
    refused("NoSuchEntity", account.delete_user, "ann")
    account.create_user("ANN")  # the name is free again, and the new user has another ID


def test_groups_roles_and_policies_in_use_are_not_deleted():
    account = Account()
    account.create_group("devs")
    role = account.create_role("work", TRUST)
    arn = account.create_policy("read", READ).arn
    for attach, detach, delete, name in (
            (account.attach_group_policy, account.detach_group_policy, account.delete_group, "devs"),
            (account.attach_role_policy, account.detach_role_policy, account.delete_role, "work")):
        attach(name, arn)
        refused("DeleteConflict", delete, name)
        refused("DeleteConflict", account.delete_policy, arn)
        detach(name, arn)
    for put, remove, delete, name in (
            (account.put_group_policy, account.delete_group_policy, account.delete_group, "devs"),
            (account.put_role_policy, account.delete_role_policy, account.delete_role, "work")):
        put(name, "inline", READ)
        refused("DeleteConflict", delete, name)
        remove(name, "inline")
    account.put_role_permissions_boundary("work", arn)
    refused("DeleteConflict", account.delete_policy, arn)
    account.delete_role_permissions_boundary("work")
    account.create_policy_version(arn, WRITE)
    refused("DeleteConflict", account.delete_policy, arn)
    account.delete_policy_version(arn, "v2")
    account.delete_policy(arn)
    account.delete_role(role.role_name)
    account.delete_group("devs")


def test_a_managed_policy_has_five_versions_and_the_default_counts():
    """"Versioning IAM policies"."""
    account = Account()
    account.create_user("ann")
    arn = account.create_policy("p", READ).arn
    account.attach_user_policy("ann", arn)
    assert allowed(account, "ann", "s3:GetObject") == "allowed"
    assert [account.create_policy_version(arn, WRITE, set_as_default=number == 2) for number in range(2, 6)] == [
        "v2", "v3", "v4", "v5"]
    refused("LimitExceeded", account.create_policy_version, arn, READ)
    assert allowed(account, "ann", "s3:GetObject") == "implicitDeny"
    assert allowed(account, "ann", "s3:PutObject") == "allowed"
    refused("DeleteConflict", account.delete_policy_version, arn, "v2")
    account.delete_policy_version(arn, "v5")
    assert account.create_policy_version(arn, READ) == "v6"  # a number is not used twice
    account.set_default_policy_version(arn, "v1")
    assert allowed(account, "ann", "s3:GetObject") == "allowed"
    refused("NoSuchEntity", account.set_default_policy_version, arn, "v5")
    refused("AccessDenied", account.create_policy_version, ADMIN, READ)


def test_policies_are_checked_and_bounded_in_size():
    account = Account()
    account.create_user("ann")
    refused("MalformedPolicyDocument", account.create_policy, "p", READ | {"Version": "2008-10-17"})
    refused("MalformedPolicyDocument", account.put_user_policy, "ann", "p", "{")
    refused("MalformedPolicyDocument", account.create_role, "r", READ)
    refused("MalformedPolicyDocument", account.create_role, "r", {"Statement": TRUST["Statement"] | {"Resource": "*"}})
    assert not account.roles and account.create_role("r", TRUST)  # a refusal does not use the name up
    long = {"Version": "2012-10-17", "Statement": READ["Statement"] | {"Resource": [f"arn:aws:s3:::{'b' * 40}/{n:03}"
                                                                                   for n in range(120)]}}
    refused("LimitExceeded", account.create_policy, "p", long)
    refused("LimitExceeded", account.put_user_policy, "ann", "p", long)
    account.put_user_policy("ann", "p", json.dumps(READ, indent=400))  # white space is not counted
    for number in range(100):
        try:
            account.put_user_policy("ann", f"p{number}", READ)
        except ServiceError as refusal:
            assert refusal.code == "LimitExceeded" and 15 < number < 30  # they count together: 2,048 characters
            break
    else:
        pytest.fail("a hundred inline policies were accepted")


def test_policies_of_collects_all_that_counts_and_names_it():
    """Given policies on the user, on a group, inline and managed, and a boundary, then each can be seen to decide."""
    account = Account(scps=[[{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
                                                                     "Resource": "*"}}]])
    account.create_user("ann", "/div/", tags={"team": "red"})
    account.create_group("devs")
    account.add_user_to_group("devs", "ann")
    account.put_group_policy("devs", "reading", READ)
    account.attach_group_policy("devs", account.create_policy("p", WRITE).arn)
    account.put_user_policy("ann", "own", {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*", "Condition": {
            "StringEquals": {"aws:PrincipalTag/team": "red"}}}})
    assert [one.name for one in account.policies_of("ann")["identity"]] == [
        "own (inline)", "p of group devs", "reading (inline) of group devs"]
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert allowed(account, "ann", action) == "allowed"
    account.put_user_permissions_boundary("ann", account.create_policy("only-reading", READ).arn)
    assert allowed(account, "ann", "s3:GetObject") == "allowed"
    assert allowed(account, "ann", "s3:PutObject") == "implicitDeny"
    account.delete_user_permissions_boundary("ann")
    assert allowed(account, "arn:aws:iam::111122223333:user/div/ann", "s3:PutObject") == "allowed"
    assert account.keys_of("ann")["aws:PrincipalArn"] == "arn:aws:iam::111122223333:user/div/ann"
    refused("NoSuchEntity", account.policies_of, "bob")
    assert allowed(account, account.root.arn, "s3:PutObject") == "allowed"


def test_different_users_have_different_permissions_and_a_new_one_has_none():
    account = Account()
    for name in ("ann", "bob", "new"):
        account.create_user(name)
    account.attach_user_policy("ann", ADMIN)
    account.attach_user_policy("bob", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    answers = {who: [allowed(account, who, action) for action in ("s3:GetObject", "s3:PutObject")]
               for who in ("ann", "bob", "new")}
    assert answers == {"ann": ["allowed", "allowed"], "bob": ["allowed", "implicitDeny"],
                       "new": ["implicitDeny", "implicitDeny"]}


def test_the_root_user_has_a_password_at_once_and_mfa_when_it_is_enabled():
    account = Account(root_password="a long sentence")
    assert account.get_account_summary()["AccountMFAEnabled"] == 0
    assert account.sign_in(None, "a long sentence", now=0).signed_in
    device = account.create_virtual_mfa_device("root")
    account.enable_mfa_device(None, device.serial_number, device.code(300), device.code(330), now=330)
    account.create_access_key()
    summary = account.get_account_summary()
    assert (summary["AccountMFAEnabled"], summary["AccountAccessKeysPresent"], summary["MFADevicesInUse"]) == (1, 1, 1)
    assert account.sign_in(None, "a long sentence", now=600).stage == "code"
    assert account.sign_in(None, "a long sentence", device.code(600), now=600).signed_in
    assert account.sign_in(None, "wrong", device.code(630), now=630).stage == "password"
    account.create_user("ann")
    refused("EntityAlreadyExists", account.enable_mfa_device, "ann", device.serial_number, "1", "2", now=1)
    refused("DeleteConflict", account.delete_virtual_mfa_device, device.serial_number)
    refused("EntityAlreadyExists", account.create_virtual_mfa_device, "root")


def test_a_user_without_a_login_profile_cannot_sign_in():
    account = Account()
    account.create_user("ann")
    assert not account.sign_in("ann", "", now=0).signed_in
    account.create_login_profile("ann", "secret")
    refused("EntityAlreadyExists", account.create_login_profile, "ann", "other")
    assert account.sign_in("ann", "secret", now=0).signed_in and account.users["ann"].password_last_used == 0


def test_the_credential_report_has_the_documented_columns_and_shows_what_is_risky():
    """"Generate credential reports for your AWS account"."""
    account = Account()
    account.create_user("ann", now=60)
    account.create_user("bob", now=120)
    account.create_login_profile("ann", "secret", now=180)
    account.create_access_key("bob", now=240)
    refused("ReportNotPresent", account.get_credential_report, now=300)
    assert account.generate_credential_report(now=300) == {"State": "STARTED"}
    rows = {row["user"]: row for row in csv.DictReader(StringIO(account.get_credential_report(now=301)))}
    assert list(rows) == ["<root_account>", "ann", "bob"] and len(rows["ann"]) == 22
    assert list(rows["ann"])[:9] == [
        "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
        "password_next_rotation", "mfa_active", "access_key_1_active"]
    assert rows["<root_account>"]["password_enabled"] == "not_supported" and rows["ann"]["password_enabled"] == "true"
    assert rows["ann"]["password_last_used"] == "no_information" and rows["bob"]["password_last_used"] == "N/A"
    assert rows["bob"]["access_key_1_active"] == "true" and rows["bob"]["access_key_2_active"] == "false"
    assert rows["bob"]["access_key_1_last_rotated"] == "1970-01-01T00:04:00+00:00"
    assert rows["ann"]["mfa_active"] == "false"


def test_a_credential_report_is_kept_for_four_hours():
    account = Account()
    account.generate_credential_report(now=0)
    account.create_user("ann")
    assert account.generate_credential_report(now=FRESH - 1) == {"State": "COMPLETE"}
    assert "ann" not in account.get_credential_report(now=FRESH - 1)
    refused("ReportExpired", account.get_credential_report, now=FRESH)
    assert account.generate_credential_report(now=FRESH) == {"State": "STARTED"}
    assert "ann" in account.get_credential_report(now=FRESH)


class AnyAccount(RuleBasedStateMachine):
    """Whatever is called in whatever order, the account stays within its quotas and refers to nothing that is gone."""

    names = st.sampled_from(["a", "b", "c", "d"])

    def __init__(self):
        super().__init__()
        self.account = Account(quotas={"UsersQuota": 2, "GroupsQuota": 2, "GroupsPerUserQuota": 1, "PoliciesQuota": 2,
                                       "AttachedPoliciesPerUserQuota": 1})

    @rule(verb=st.sampled_from(["create_user", "delete_user", "create_group", "delete_group", "create_access_key"]),
          name=names)
    def one_name(self, verb, name):
        self.call(getattr(self.account, verb), name)

    @rule(verb=st.sampled_from(["add_user_to_group", "remove_user_from_group"]), group=names, user=names)
    def membership(self, verb, group, user):
        self.call(getattr(self.account, verb), group, user)

    @rule(name=names)
    def make_policy(self, name):
        self.call(self.account.create_policy, name, READ)

    @rule(verb=st.sampled_from(["attach_user_policy", "detach_user_policy", "attach_group_policy"]), name=names,
          policy=names)
    def attach(self, verb, name, policy):
        self.call(getattr(self.account, verb), name, f"arn:aws:iam::111122223333:policy/{policy}")

    @rule(policy=names)
    def drop_policy(self, policy):
        self.call(self.account.delete_policy, f"arn:aws:iam::111122223333:policy/{policy}")

    def call(self, verb, *arguments):
        try:
            verb(*arguments)
        except ServiceError as refusal:
            assert refusal.code in ("LimitExceeded", "NoSuchEntity", "EntityAlreadyExists", "DeleteConflict")

    @invariant()
    def within_the_quotas(self):
        account, summary = self.account, self.account.get_account_summary()
        for what in ("Users", "Groups", "Policies"):
            assert summary[what] <= summary[f"{what}Quota"]
        for user in account.users.values():
            assert len(user.groups) <= 1 and len(user.attached) <= 1 and len(user.access_keys) <= 2
            assert set(user.groups) <= set(account.groups) and set(user.attached) <= set(account.policies)
        for group in account.groups.values():
            assert set(group.attached) <= set(account.policies)


TestAnyAccount = AnyAccount.TestCase
TestAnyAccount.settings = settings(derandomize=True, deadline=None, max_examples=40, stateful_step_count=30)
