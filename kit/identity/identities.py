"""What an account holds: users, groups, roles and policies as records, and the quotas on their number and size.

IAM User Guide, read 2026-11-23: "IAM and AWS STS quotas", "Manage access keys for IAM users", "Versioning IAM
policies". AWS What's New, 2026-08-19: "AWS IAM now supports 20 managed policies per role by default".
"""

from dataclasses import dataclass, field

from kit.identity.mfa import Login, VirtualMFADevice

# The quotas as GetAccountSummary names them; sizes are in characters without white space.
QUOTAS = {
    "UsersQuota": 5_000, "GroupsQuota": 300, "RolesQuota": 1_000, "PoliciesQuota": 1_500, "GroupsPerUserQuota": 10,
    "AttachedPoliciesPerUserQuota": 10, "AttachedPoliciesPerGroupQuota": 10, "AttachedPoliciesPerRoleQuota": 20,
    "AccessKeysPerUserQuota": 2, "VersionsPerPolicyQuota": 5, "PolicySizeQuota": 6_144, "UserPolicySizeQuota": 2_048,
    "GroupPolicySizeQuota": 5_120, "RolePolicySizeQuota": 10_240, "AssumeRolePolicySizeQuota": 2_048,
}
# Those that Service Quotas raises on request, and how far it does so without a question. All others are fixed.
ADJUSTABLE = {"GroupsQuota": 500, "RolesQuota": 10_000, "PoliciesQuota": 10_000, "AttachedPoliciesPerUserQuota": 20,
              "AttachedPoliciesPerRoleQuota": 25, "AssumeRolePolicySizeQuota": 8_192}
# What LimitExceeded calls them, where that differs from the quota's own name.
REFUSALS = {"UsersQuota": "UsersPerAccount", "GroupsQuota": "GroupsPerAccount", "RolesQuota": "RolesPerAccount",
            "PoliciesQuota": "PoliciesPerAccount", "AttachedPoliciesPerUserQuota": "PoliciesPerUser",
            "AttachedPoliciesPerGroupQuota": "PoliciesPerGroup", "AttachedPoliciesPerRoleQuota": "PoliciesPerRole",
            "AssumeRolePolicySizeQuota": "ACLSizePerRole"}
AWS_MANAGED = {
    "AdministratorAccess": {"Effect": "Allow", "Action": "*", "Resource": "*"},
    "AmazonS3ReadOnlyAccess": {"Effect": "Allow", "Resource": "*", "Action": [
        "s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"]},
}


@dataclass
class AccessKey:
    """Long-term credentials. Times in seconds; last_used None: never."""

    access_key_id: str
    secret_access_key: str
    create_date: float
    status: str = "Active"
    last_used: float | None = None
    last_used_service: str = "N/A"


@dataclass
class User:
    """An IAM user, or the root user."""

    user_name: str
    user_id: str
    arn: str
    create_date: float
    permissions_boundary: str | None = None
    tags: dict = field(default_factory=dict)
    attached: list = field(default_factory=list)  # ARNs of managed policies
    inline: dict = field(default_factory=dict)  # policy name -> document
    groups: list = field(default_factory=list)
    access_keys: list = field(default_factory=list)
    login: Login | None = None
    device: VirtualMFADevice | None = None
    password_last_changed: float | None = None
    password_last_used: float | None = None


@dataclass
class Group:
    group_name: str
    group_id: str
    arn: str
    create_date: float
    attached: list = field(default_factory=list)
    inline: dict = field(default_factory=dict)


@dataclass
class Role:
    role_name: str
    role_id: str
    arn: str
    create_date: float
    assume_role_policy_document: dict | str
    max_session_duration: int = 3_600  # seconds
    permissions_boundary: str | None = None
    tags: dict = field(default_factory=dict)
    attached: list = field(default_factory=list)
    inline: dict = field(default_factory=dict)


@dataclass
class ManagedPolicy:
    policy_name: str
    policy_id: str
    arn: str
    create_date: float
    versions: dict  # "v1" -> document
    default_version_id: str = "v1"
    made: int = 1  # versions ever made; a number is not used twice

    @property
    def document(self) -> dict | str:
        return self.versions[self.default_version_id]
