"""Helpers for the identity lab: moto's own enforcement of policies, and reading policies back through boto3."""

from contextlib import contextmanager

from kit.identity.policy import Named


@contextmanager
def policies_enforced():
    """Within the block the sandbox refuses what IAM policies don't allow; it still ignores every Condition."""
    from moto.core import enable_iam_authentication  # only once the sandbox has set moto up
    with enable_iam_authentication():
        yield


def stored_policies(iam, user_name: str) -> list[Named]:
    """All identity policies of a user as boto3 tells them: its own and its groups', managed and inline."""
    groups = [group["GroupName"] for group in iam.list_groups_for_user(UserName=user_name)["Groups"]]
    found = []
    for kind, name in [("User", user_name), *(("Group", group) for group in groups)]:
        call = {"User": iam.list_attached_user_policies, "Group": iam.list_attached_group_policies}[kind]
        for attached in call(**{f"{kind}Name": name})["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            found.append(Named(attached["PolicyName"], document))
        names, get = {"User": (iam.list_user_policies, iam.get_user_policy),
                      "Group": (iam.list_group_policies, iam.get_group_policy)}[kind]
        for inline in names(**{f"{kind}Name": name})["PolicyNames"]:
            found.append(Named(inline, get(**{f"{kind}Name": name}, PolicyName=inline)["PolicyDocument"]))
    return found
