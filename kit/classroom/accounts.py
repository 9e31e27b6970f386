"""Accounts that learners make themselves, with the code that the teacher writes on the board.

JupyterHub's NativeAuthenticator keeps them: passwords as bcrypt hashes, a pause after wrong ones. Added here: nobody
signs up without the class code, the teacher's name needs a code of its own, and a full class takes nobody more.
"""

import hmac

from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.handlers import SignUpHandler
from nativeauthenticator.orm import UserInfo
from traitlets import Integer, Unicode

NO_CODE = "This is not the code of this class. It stands on the board; ask your teacher."
NO_TEACHER = "This name belongs to the teacher, whose code is another."
FULL = "This class is full. Ask your teacher: the classroom can be started again with more --students."
BAD_NAME = ("A name has 2 to 32 small letters, digits, dots, dashes or underscores, and begins with a letter. "
            "Yours is taken or has something else in it.")
TWICE = "The two passwords differ. Type the same one twice."
SHORT = "This password is too short or too common: take at least {} characters that nobody else would take."
DONE = "Welcome! Now sign in with your name and your password."


class ClassAccounts(NativeAuthenticator):
    """code: for learners; teacher_code: for the names in admin_users; places: how many learners there are."""

    code = Unicode(config=True)
    teacher_code = Unicode(config=True)
    places = Integer(30, config=True)

    def refusal(self, name: str, code: str) -> str:
        """Why this name may not sign up with this code; "" if it may."""
        teacher = self.normalize_username(name) in self.admin_users
        if not same(code, self.teacher_code if teacher else self.code):
            return NO_TEACHER if teacher else NO_CODE
        learners = [one for one in UserInfo.all_users(self.db) if one.username not in self.admin_users]
        return FULL if not teacher and len(learners) >= self.places else ""

    def get_handlers(self, app):
        return [(path, SignUp if handler is SignUpHandler else handler) for path, handler in super().get_handlers(app)]


class SignUp(SignUpHandler):
    """The page where a learner makes an account."""

    async def get(self):
        await self.show()

    async def post(self):
        name = self.get_body_argument("username", "").strip()
        password = self.get_body_argument("signup_password", "", strip=False)
        refusal = self.authenticator.refusal(name, self.get_body_argument("code", ""))
        if not refusal and password != self.get_body_argument("signup_password_confirmation", "", strip=False):
            refusal = TWICE
        if not refusal and not self.authenticator.is_password_strong(password):
            refusal = SHORT.format(self.authenticator.minimum_password_length)
        if not refusal and not self.authenticator.create_user(name, password):
            refusal = BAD_NAME
        if refusal:
            self.set_status(403)
        await self.show(refusal, name, done=not refusal)

    async def show(self, refusal="", who="", done=False):
        self.finish(await self.render_template("signup.html", refusal=refusal, who=who, done=DONE if done else ""))


def same(code: str, other: str) -> bool:
    """Whether two codes are the same, however they are written: dashes, blanks and capitals don't count."""
    plain = [one.replace("-", "").replace(" ", "").lower().encode() for one in (code, other)]
    return bool(plain[1]) and hmac.compare_digest(*plain)
