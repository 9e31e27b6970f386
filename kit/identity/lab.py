"""Who may do what in the sandbox: every call is decided by the model of ``iam``, with the policies that the learner
has written through boto3.

Whoever gives no keys of their own is the account's root user, as one is on the first day. All others (users with
their access keys, roles with the keys of AssumeRole, ``sandbox.as_user("ada")``) may do what their policies say:
identity policies, the resource's own policy, permissions boundary, session policy, conditions included. Refusals read
as AWS's, and ``sandbox.why()`` has the reasons.

**Simplified** AWS's own managed policies are there as soon as they are attached, not before. aws:ResourceTag is known
for EC2, users and roles. Service control policies are not asked.

IAM User Guide, "Troubleshoot access denied error messages", read 2026-11-23. STS API Reference, "GetCallerIdentity",
"AssumeRole". IAM API Reference, "SimulatePrincipalPolicy", "PutUserPermissionsBoundary".
"""

import json
from dataclasses import replace
from urllib.parse import unquote

from kit.errors import ServiceError
from kit.identity.authorization import asked
from kit.identity.iam import Request, evaluate
from kit.identity.policy import Named
from kit.lab.life import Who

HOME = "us-east-1"  # where the only endpoint of a global service is
GLOBAL = ("iam", "cloudfront", "route53", "organizations", "shield")  # services with one endpoint for all Regions
SOURCE_IP = "203.0.113.10"  # an address for documentation (RFC 5737): where the learner is taken to sit
CODES = {  # by service where it has its own, else by the protocol it speaks; AccessDenied for the others
    "sns": "AuthorizationError", "sqs": "AccessDenied", "cloudwatch": "AccessDenied",
    "ec2": "UnauthorizedOperation", "json": "AccessDeniedException", "rest-json": "AccessDeniedException"}
BY_RESOURCE_POLICY = {("lambda", "Invoke"), ("sqs", "SendMessage"), ("sns", "Publish")}  # what services need leave for
AWS_MANAGED = "arn:aws:iam::aws:policy/"
SAID = {"identity": "identity-based policy", "resource": "resource-based policy", "boundary": "permissions boundary",
        "session": "session policy", "scp": "service control policy", "rcp": "resource control policy"}


def live(life) -> None:
    identity = Identity(life)
    life.state["identity"] = identity
    life.identify, life.gate = identity.who, identity.decide
    life.before("sts", "AssumeRole", identity.assume_role)
    life.before("sts", "GetSessionToken", identity.session_token)
    life.then("sts", "GetSessionToken", identity.remember_session)
    life.then("sts", "AssumeRole AssumeRoleWithWebIdentity AssumeRoleWithSAML GetFederationToken", identity.remember_credentials)
    life.answer("sts", "GetCallerIdentity", identity.caller)
    life.answer("iam", "SimulatePrincipalPolicy", identity.simulate)
    life.answer("iam", "PutUserPermissionsBoundary", identity.put_boundary)
    life.answer("iam", "DeleteUserPermissionsBoundary", identity.delete_boundary)
    life.then("iam", "GetUser", identity.show_boundary)
    for operation in ("AttachUserPolicy", "AttachGroupPolicy", "AttachRolePolicy", "GetPolicy", "GetPolicyVersion",
                      "PutUserPermissionsBoundary", "PutRolePermissionsBoundary"):
        life.before("iam", operation, identity.bring_aws_policy)


class Identity:
    """The callers of one sandbox and their policies, read from moto's state."""

    def __init__(self, life):
        self.life = life
        self.boundaries = {}  # user name -> ARN of the policy
        self.sessions = {}  # access key of GetSessionToken -> user name
        self.issued = {}  # access key of temporary credentials -> {"issued": seconds, "mfa": with a code?}

    @property
    def deciders(self) -> dict:
        """Of services whose decisions are more than one policy evaluation, their topic's lab says what a call needs and
        decides: ``life.state["deciders"][service]`` with needed(call), decide(request, identity, boundary, session) and
        refusal(call, asked, decision), a ServiceError or None for the usual one."""
        return self.life.state.get("deciders", {})

    @property
    def iam(self):
        return self.life.backend("iam")

    def who(self, key: str, token: str | None) -> Who:
        """The owner of an access key. InvalidClientTokenId, ExpiredToken as STS says them."""
        account = self.life.sandbox.account_id
        if key.startswith("USER:"):
            return self._user(key.removeprefix("USER:"), key)
        if key.startswith("ROLE:"):
            role = self._role(key.removeprefix("ROLE:").rsplit("/", 1)[-1])
            return self._session(role, "sandbox", key)
        if key in self.sessions:
            return replace(self._user(self.sessions[key], key), details=self.issued[key])
        for session in self.life.backend("sts").assumed_roles:
            if session.access_key_id == key:
                if session.expiration.timestamp() < self.life.sandbox.clock.date.timestamp():
                    raise ServiceError("ExpiredToken", "The security token included in the request is expired")
                details = {"policy": session.policy} | self.issued.get(key, {})
                return Who("AssumedRole", f"arn:aws:sts::{account}:assumed-role/{session.role_arn.rsplit('/', 1)[-1]}"
                           f"/{session.session_name}", session.role_arn.rsplit("/", 1)[-1], key, details)
        for user in self.iam.users.values():
            for one in user.access_keys:
                if one.access_key_id == key and one.status == "Active":
                    return self._user(user.name, key)
        raise ServiceError("InvalidClientTokenId", "The security token included in the request is invalid.")

    def decide(self, call, service) -> None:
        """Refuse the call as AWS would, or let it pass."""
        if call.who.kind == "AWSService" and (call.service, call.operation) not in BY_RESOURCE_POLICY:
            return  # what a service does for itself, it does with its own role
        if call.who.arn == "cloudwatch.amazonaws.com" and "__default_policy_ID" in (self._of_resource(call.parameters.get(
                "TopicArn", "")) or ""):
            return  # a topic's own policy lets its account in, and for its account an alarm speaks
        decider = self.deciders.get(call.service)
        wanted = decider.needed(call) if decider else asked(
            call.service, call.operation, call.parameters, caller=call.who.arn, region=call.region,
            account=self.life.sandbox.account_id)
        for one in wanted:
            decision = self.evaluate(call.who, one, self._of_call(call))
            if not decision.allowed:
                self.life.refusals.append((call, decision))
                refusal = decider and decider.refusal(call, one, decision)
                raise refusal or self._refusal(call.who, one, decision, service)

    def evaluate(self, who: Who, one, extra: dict | None = None):
        identity, boundary, session, tags = self._policies(who)
        context = self._context(one) | {f"aws:PrincipalTag/{key}": value for key, value in tags.items()} | (extra or {})
        request = Request(None if who.kind == "Anonymous" else who.arn, one.action, one.resource, context,
                          None if who.kind in ("AWSService", "Anonymous") else self.life.sandbox.account_id,
                          self.life.sandbox.account_id)
        if decider := self.deciders.get(one.action.split(":")[0]):
            return decider.decide(request, identity=identity, boundary=boundary, session=session)
        return evaluate(request, identity=identity, resource=self._of_resource(one.resource), boundary=boundary,
                        session=session)

    # what moto would let pass

    def assume_role(self, call) -> None:
        """Nobody assumes a role that its trust policy does not let them, the root user never."""
        if call.who.kind == "Root":
            raise ServiceError("AccessDenied", "Roles may not be assumed by root accounts.")
        if call.who.kind == "AWSService":
            return
        name = call.parameters["RoleArn"].rsplit("/", 1)[-1]
        if name not in {role.name for role in self.iam.roles.values()}:
            raise ServiceError("AccessDenied", f"User: {call.who.arn} is not authorized to perform: sts:AssumeRole on "
                               f"resource: {call.parameters['RoleArn']}")

    def session_token(self, call) -> None:
        if call.who.kind == "AssumedRole":
            raise ServiceError("AccessDenied", "Cannot call GetSessionToken with session credentials")

    def remember_session(self, call) -> None:
        """moto hands out the same key to everybody: each session has one of its own."""
        call.response["Credentials"]["AccessKeyId"] = f"ASIA{len(self.issued) + 1:016d}"
        if call.who.kind == "IAMUser":
            self.sessions[call.response["Credentials"]["AccessKeyId"]] = call.who.name
        self.remember_credentials(call)

    def remember_credentials(self, call) -> None:
        """When these temporary credentials were handed out, and whether with a code of an MFA device."""
        self.issued[call.response["Credentials"]["AccessKeyId"]] = {
            "issued": self.life.sandbox.clock.now, "mfa": "TokenCode" in call.parameters}

    def caller(self, call) -> dict:
        account, who = self.life.sandbox.account_id, call.who
        if who.kind == "IAMUser":
            identifier = self._find_user(who.name).id
        elif who.kind == "AssumedRole":
            identifier = f"{self._role(who.name).id}:{who.arn.rsplit('/', 1)[-1]}"
        else:
            identifier = account
        return {"UserId": identifier, "Account": account, "Arn": who.arn}

    def bring_aws_policy(self, call) -> None:
        """AWS's own managed policies, each when it is first asked for: all of them would cost 0.7 s."""
        arn = call.parameters.get("PolicyArn", call.parameters.get("PermissionsBoundary", ""))
        if not arn.startswith(AWS_MANAGED) or arn in self.iam.managed_policies:
            return
        from moto.iam.aws_managed_policies import aws_managed_policies_data
        from moto.iam.models import AWSManagedPolicy
        name = arn.rsplit("/", 1)[-1]
        start = aws_managed_policies_data.find(f'\n "{name}":') + 1
        if start:
            data, _ = json.JSONDecoder().raw_decode(aws_managed_policies_data, start + len(name) + 4)
            policy = AWSManagedPolicy.from_data(name, self.life.sandbox.account_id, self.life.sandbox.region, data)
            self.iam.managed_policies[policy.arn] = policy

    def put_boundary(self, call) -> dict:
        self._find_user(call.parameters["UserName"])
        if call.parameters["PermissionsBoundary"] not in self.iam.managed_policies:
            raise ServiceError("NoSuchEntity", f"Scope ARN: {call.parameters['PermissionsBoundary']} does not exist.")
        self.boundaries[call.parameters["UserName"]] = call.parameters["PermissionsBoundary"]
        return {}

    def delete_boundary(self, call) -> dict:
        if self.boundaries.pop(call.parameters["UserName"], None) is None:
            raise ServiceError("NoSuchEntity", f"{call.parameters['UserName']} has no permissions boundary.")
        return {}

    def show_boundary(self, call) -> None:
        arn = self.boundaries.get(call.response["User"]["UserName"])
        if arn:
            call.response["User"]["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy",
                                                            "PermissionsBoundaryArn": arn}

    def simulate(self, call) -> dict:
        """What this user, group's member or role could do: the model answers, nothing is done."""
        from kit.identity.authorization import Asked
        source = call.parameters["PolicySourceArn"]
        who = self._user(source.rsplit("/", 1)[-1], "") if ":user/" in source else self._session(
            self._role(source.rsplit("/", 1)[-1]), "simulation", "")
        extra = {entry["ContextKeyName"]: entry.get("ContextKeyValues", [])
                 for entry in call.parameters.get("ContextEntries", [])}
        results = []
        for action in call.parameters["ActionNames"]:
            for resource in call.parameters.get("ResourceArns", ["*"]):
                decision = self.evaluate(who, Asked(action, resource), extra)
                results.append({"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision.outcome,
                                "MatchedStatements": [{"SourcePolicyId": finding.policy, "SourcePolicyType": "IAM Policy"}
                                                      for finding in decision.findings if finding.applies],
                                "MissingContextValues": []})
        return {"EvaluationResults": results, "IsTruncated": False}

    # moto's state

    def _find_user(self, name):
        for user in self.iam.users.values():
            if user.name == name:
                return user
        raise ServiceError("NoSuchEntity", f"The user with name {name} cannot be found.")

    def _user(self, name, key):
        return Who("IAMUser", self._find_user(name).arn, name, key)

    def _role(self, name):
        for role in self.iam.roles.values():
            if role.name == name:
                return role
        raise ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.")

    def _session(self, role, session, key):
        return Who("AssumedRole", f"arn:aws:sts::{self.life.sandbox.account_id}:assumed-role/{role.name}/{session}",
                   role.name, key)

    def _policies(self, who):
        """identity policies, boundary, session policies and tags of the caller."""
        if who.kind == "IAMUser":
            user = self._find_user(who.name)
            groups = [group for group in self.iam.groups.values() if any(one.name == who.name for one in group.users)]
            boundary = self.boundaries.get(who.name)
            return (_named(user) + [policy for group in groups for policy in _named(group)], self._boundary(boundary), None,
                    _tags(self.iam, user))
        if who.kind == "AssumedRole":
            role = self._role(who.name)
            return (_named(role), self._boundary(role.permissions_boundary_arn), who.details.get("policy") or None,
                    {tag["Key"]: tag["Value"] for tag in _role_tags(role)})
        return (), None, None, {}

    def _boundary(self, arn):
        return Named(arn.rsplit("/", 1)[-1], _document(self.iam.managed_policies[arn])) if arn else None

    def _of_call(self, call) -> dict:
        """Condition keys of this very call ("AWS global condition context keys")."""
        keys = {"aws:RequestedRegion": HOME if call.service in GLOBAL else call.region, "aws:UserAgent": call.agent,
                "aws:ViaAWSService": "false"}
        details = call.who.details
        if call.who.kind == "AssumedRole" or "issued" in details:  # temporary credentials; others have no such keys
            keys["aws:MultiFactorAuthPresent"] = str(details.get("mfa", False)).lower()
            issued = details.get("issued")
            if issued is not None:
                clock = self.life.sandbox.clock
                keys["aws:TokenIssueTime"] = f"{clock.date_at(issued):%Y-%m-%dT%H:%M:%SZ}"
                if details.get("mfa"):
                    keys["aws:MultiFactorAuthAge"] = str(int(clock.now - issued))
        return keys

    def _context(self, one) -> dict:
        date = self.life.sandbox.clock.date
        context = {"aws:CurrentTime": f"{date:%Y-%m-%dT%H:%M:%SZ}", "aws:EpochTime": str(int(date.timestamp())),
                   "aws:SourceIp": SOURCE_IP, "aws:SecureTransport": "true",
                   "aws:RequestedRegion": one.resource.split(":")[3] if one.resource.count(":") > 4 and
                   one.resource.split(":")[3] else self.life.sandbox.region, **one.context}
        if self.life.source_arn:
            context |= {"aws:SourceArn": self.life.source_arn, "aws:SourceAccount": self.life.sandbox.account_id,
                        "aws:SourceOwner": self.life.sandbox.account_id}
        if ":ec2:" in one.resource:
            for key, value in self.life.backend("ec2").tags.get(one.resource.rsplit("/", 1)[-1], {}).items():
                context[f"aws:ResourceTag/{key}"] = context[f"ec2:ResourceTag/{key}"] = value
        return context

    def _of_resource(self, arn):
        """The policy that the resource itself carries, if it is one that can."""
        parts = arn.split(":", 5)
        if len(parts) < 6:
            return None
        service, region, name = parts[2], parts[3] or None, parts[5]
        reader = READERS.get(service)
        return reader(self.life, region, name) if reader else None

    def _refusal(self, who, one, decision, service):
        said = SAID.get(decision.by, "policy")
        reason = (f"with an explicit deny in {'an' if said[0] in 'ai' else 'a'} {said}" if decision.outcome == "explicitDeny"
                  else f"because no {said} allows the {one.action} action")
        caller = who.arn or "Anonymous"
        words = f"User: {caller} is not authorized to perform: {one.action} on resource: {one.resource} {reason}"
        protocol = service.metadata["protocol"]
        if protocol == "ec2":
            words = f"You are not authorized to perform this operation. {words}"
        return ServiceError(CODES.get(service.service_name, CODES.get(protocol, "AccessDenied")), words, 403)


def _named(owner):
    """All identity policies of a user, group or role: managed and inline."""
    return [Named(policy.name, _document(policy)) for policy in owner.managed_policies.values()] + [
        Named(name, _text(document)) for name, document in owner.policies.items()]


def _document(policy):
    return _text(next(version.document for version in policy.versions if version.is_default))


def _text(document):
    return document if isinstance(document, dict) else document if document.lstrip().startswith("{") else unquote(document)


def _tags(iam, user):
    return {tag["Key"]: tag["Value"] for tag in iam.tagger.list_tags_for_resource(user.arn)["Tags"]}


def _role_tags(role):
    tags = getattr(role, "tags", None) or []
    return tags.values() if isinstance(tags, dict) else tags


def _s3(life, region, name):
    bucket = life.backend("s3").buckets.get(name.split("/")[0])
    return bucket.policy.decode() if bucket is not None and bucket.policy else None


def _sqs(life, region, name):
    queue = life.backend("sqs", region).queues.get(name)
    return queue.policy or None if queue is not None else None


def _sns(life, region, name):
    for arn, topic in life.backend("sns", region).topics.items():
        if arn.endswith(":" + name):
            return topic.policy
    return None


def _lambda(life, region, name):
    found = life.backend("lambda", region)._lambdas.get_function_by_name_with_qualifier
    from moto.awslambda.exceptions import UnknownFunctionException
    try:
        function = found(name.removeprefix("function:").split(":")[0], None)
    except UnknownFunctionException:
        return None
    return {"Version": "2012-10-17", "Statement": function.policy.statements} if function.policy.statements else None


def _kms(life, region, name):
    keys = life.backend("kms", region).keys
    key = keys.get(name.removeprefix("key/"))
    return key.policy if key is not None else None


def _role_trust(life, region, name):
    if not name.startswith("role/"):
        return None
    for role in life.backend("iam").roles.values():
        if role.name == name.rsplit("/", 1)[-1]:
            return _text(role.assume_role_policy_document)
    return None


READERS = {"s3": _s3, "sqs": _sqs, "sns": _sns, "lambda": _lambda, "kms": _kms, "iam": _role_trust}


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
