"""The lesson's small models: the playground, the leak, the audit, the sign-up."""

from itertools import product

import pytest

from kit.errors import ServiceError
from kit.identity import audit, leak, playground
from kit.identity.account import Account
from kit.identity.sign_up import STEPS, SignUp

EVERY = list(product(playground.PEOPLE, playground.DEEDS, (True, False), (True, False), (3, 10, 20), (True, False)))


def test_given_any_setting_the_layers_agree_with_the_decision():
    """IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access"."""
    for setting in EVERY:
        run = playground.simulate(*setting)
        said = dict(zip(run.layers["layer"], run.layers["said"]))
        assert (run.decision.outcome == "explicitDeny") == (said["any Deny"] == "denies"), setting
        assert (run.stopped_by is None) == run.decision.allowed
        if run.decision.outcome == "implicitDeny":
            assert said[run.stopped_by] in ("nothing", "not asked"), setting
        if run.decision.allowed and setting[0] != "root user":
            assert said["identity policy"] == "allows" and said["permissions boundary"] in ("allows", "not asked")


@pytest.mark.parametrize("who, what, office, mfa, hour, guardrail, stopped_by", [
    ("administrator", "delete a report", True, True, 10, False, None),
    ("administrator", "delete a report", True, False, 10, False, "any Deny"),
    ("administrator", "delete a report", True, True, 7, False, "any Deny"),
    ("administrator", "delete a report", True, True, 18, False, "any Deny"),
    ("administrator", "read a report", False, True, 10, False, "any Deny"),
    ("root user", "read a report", False, False, 3, False, None),
    ("root user", "start a server", True, True, 10, True, "service control policy"),
    ("reader", "delete a report", True, True, 10, False, "identity policy"),
    ("developer", "create a user", True, True, 10, False, "permissions boundary"),
])
def test_given_a_setting_that_layer_stops_it(who, what, office, mfa, hour, guardrail, stopped_by):
    assert playground.simulate(who, what, office, mfa, hour, guardrail).stopped_by == stopped_by


def test_given_a_misuse_it_says_what_to_do():
    for wrong in ({"who": "nobody"}, {"what": "fly"}, {"hour": 24}):
        with pytest.raises(ValueError):
            playground.simulate(**wrong)


@pytest.mark.parametrize("noticed, lasts, after", [(24, 1, 0.25), (0.5, 1, 0.25), (3, 12, 0), (5, 1, 2)])
def test_given_a_leak_the_attempts_agree_with_the_hours(noticed, lasts, after):
    """The thief's attempts, decided by sts, last as long as the run says."""
    run = leak.simulate(noticed, lasts, after, every=0.25)
    assert run.key_hours == noticed and sum(run.attempts["key_works"]) * 0.25 == pytest.approx(noticed, abs=0.25)
    session = min(max(0, lasts - after), noticed)
    assert sum(run.attempts["session_works"]) * 0.25 == pytest.approx(session, abs=0.25)
    assert run.session_hours == session


def test_given_an_account_left_alone_findings_grow_and_repairs_remove_them():
    """AWS Security Hub User Guide, "Security Hub CSPM controls for IAM"."""
    account, day = Account(), 86_400
    account.create_user("builder")
    for name in (None, "builder"):
        account.create_access_key(name)
    found = {}
    for days in (1, 46, 91):
        account.generate_credential_report(now=days * day)
        found[days] = audit.audit(account.get_credential_report(now=days * day), days * day)
    assert [sorted(set(found[days]["control"])) for days in (1, 46, 91)] == [
        ["IAM.4", "IAM.9"], ["IAM.22", "IAM.4", "IAM.9"], ["IAM.22", "IAM.3", "IAM.4", "IAM.9"]]
    assert len(audit.repair(account, found[91])) == 2
    account.generate_credential_report(now=92 * day)
    left = audit.audit(account.get_credential_report(now=92 * day), 92 * day)
    assert left["control"] == ["IAM.9"] and audit.score(left) == 80


def test_given_sign_up_screens_in_order_there_is_an_account_and_else_a_refusal():
    """AWS Account Management Reference Guide, "Create a standalone AWS account"."""
    answers = dict(zip(STEPS, ("ops@example.com", "1", "secret", "free", "Personal", "4242", "2", "Basic")))
    sign_up = SignUp()
    with pytest.raises(ServiceError):
        sign_up.answer("payment card", "4242")
    for step, value in answers.items():
        assert sign_up.account is None
        if step == "root password":
            with pytest.raises(ServiceError, match="differ"):
                sign_up.answer(step, value, again="other")
        if step == "account plan":
            with pytest.raises(ServiceError, match="free or paid"):
                sign_up.answer(step, "cheap")
        sign_up.answer(step, value, again=value)
    assert sign_up.next == "AWS Management Console"
    assert sign_up.account.sign_in(None, "secret", now=0.0).signed_in
