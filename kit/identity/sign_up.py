"""Opening an AWS account: the screens in their order, and what only the root user may do afterwards.

**Simplified** Every answer is taken as right; AWS checks the e-mail code, the card and the phone.
**Not modelled** Accounts made by AWS Organizations, which skip these screens; the review that may delay activation.

The pages could not be opened on 2026-11-23; the order of the screens follows public walk-throughs. AWS Account
Management Reference Guide: "Create a standalone AWS account". AWS Billing User Guide:
"Free Tier plans" (since 2025-07-15). IAM User Guide: "Tasks that require root user credentials".
"""

from kit.errors import ServiceError
from kit.identity.account import Account

STEPS = ("e-mail", "e-mail code", "root password", "account plan", "contact", "payment card", "phone code",
         "support plan")
PLANS = ("free", "paid")  # AWS Billing User Guide, "Free Tier plans"
CONTACTS = ("Personal", "Business")

# A choice of the tasks on AWS's page, and of everyday tasks that people believe to be on it.
TASKS = {
    "change the root user's password": True, "close the account": True,
    "let IAM users see the billing pages for the first time": True,
    "repair a bucket policy that denies everybody": True, "turn on MFA delete for a bucket": True,
    "give the only administrator lost permissions back": True,
    "create an IAM user": False, "delete a bucket": False, "start the largest server there is": False,
    "create another administrator": False,
}


class SignUp:
    """Answer screen after screen; ``account`` is there after the last."""

    def __init__(self):
        self.answers, self.account = {}, None

    @property
    def next(self) -> str:
        return STEPS[len(self.answers)] if len(self.answers) < len(STEPS) else "AWS Management Console"

    def answer(self, step: str, value: str, again: str | None = None) -> str:
        """Returns the next screen. Raises ServiceError ValidationError out of order or for a value that won't do."""
        if step != self.next:
            raise ServiceError("ValidationError", f"The screen is “{self.next}”, not “{step}”.")
        if step == "root password" and again != value:
            raise ServiceError("ValidationError", "The password and its confirmation differ.")
        allowed = {"account plan": PLANS, "contact": CONTACTS}.get(step)
        if allowed and value not in allowed:
            raise ServiceError("ValidationError", f"Choose {' or '.join(allowed)}.")
        self.answers[step] = value
        if len(self.answers) == len(STEPS):
            self.account = Account(root_password=self.answers["root password"])
        return self.next
