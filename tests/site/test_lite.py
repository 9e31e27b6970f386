"""What a browser tab has instead of compiled packages does what they do; and its packages are the pinned ones."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

from kit.course import data
from kit.site import lite, packages

TAB = packages.TAB


def told(program: str, *stand_ins: str) -> str:
    """What a program prints in a process of its own, in which these modules of tab/ go before those installed."""
    begin = "".join(f"""
import importlib.util, sys
place = {os.fspath(TAB / name)!r}
spec = importlib.util.spec_from_file_location({name!r}, place + ("/__init__.py" if {(TAB / name).is_dir()} else ".py"))
sys.modules[{name!r}] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
""" for name in stand_ins)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", begin + program], capture_output=True, text=True,
                          env=os.environ | {"TZ": "Asia/Tokyo"})
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


EVERY_WAY_TO_ASK = """
import time, time_machine
from datetime import UTC, date, datetime, timedelta, timezone

class Mine(datetime):
    pass

def ask():
    print(datetime.now(), datetime.utcnow(), datetime.now(UTC), datetime.now(timezone(timedelta(hours=-5))), date.today())
    print(datetime.today(), Mine.now(), type(Mine.utcnow()).__name__, time.time(), time.time_ns(), time.gmtime()[:6])
    print(time.localtime()[:6], time.strftime("%A %H:%M"), time.gmtime(0)[:6], time.strftime("%Y", time.gmtime(0)))

journey = time_machine.travel(datetime(2026, 1, 5, 12, 30, 0, 250_000), tick=False)
traveller = journey.start()
ask()
traveller.move_to(datetime(2028, 2, 29, 23, 59, 59, 999_999))
ask()
journey.stop()
print(abs(datetime.now().timestamp() - time.time()) < 5, time.time() > 1_700_000_000 and time.gmtime()[0] == datetime.utcnow().year)
"""


def test_the_time_machine_in_plain_python_tells_what_the_compiled_one_tells():
    usual = told(EVERY_WAY_TO_ASK)
    assert told(EVERY_WAY_TO_ASK, "time_machine") == usual and usual.endswith("True True\n")


STORY = """
from kit import lab
sandbox = lab.start()
sqs, s3, sns, sts = (sandbox.client(name) for name in ("sqs", "s3", "sns", "sts"))
queue = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
sqs.send_message(QueueUrl=queue, MessageBody="shirts")
for step in (0, 29, 2, 86_400):
    sandbox.clock.advance(seconds=step)
    got = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"]).get("Messages", [])
    print(step, [one["Attributes"] for one in got])
s3.create_bucket(Bucket="photos")
s3.put_object(Bucket="photos", Key="cat", Body=b"cat")
print(s3.get_object(Bucket="photos", Key="cat")["LastModified"], s3.list_buckets()["Buckets"])
print(sts.get_session_token(DurationSeconds=900)["Credentials"]["Expiration"])
print(s3.generate_presigned_url("get_object", {"Bucket": "photos", "Key": "cat"}, ExpiresIn=60))
topic = sns.create_topic(Name="news")["TopicArn"]
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:orders")
print(sns.publish(TopicArn=topic, Message="hello")["MessageId"], sandbox.clock)
"""


def test_a_story_in_the_sandbox_is_the_same_with_the_stand_ins():
    assert told(STORY, "time_machine", "cryptography") == told(STORY)


NEEDS_KEYS = """
from kit import lab
sandbox = lab.start()
text = sandbox.client("ec2").create_key_pair(KeyName="mine")["KeyMaterial"].encode()
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key
key = load_pem_private_key(text, password=None)
sent = key.public_key().encrypt(b"a password", padding.PKCS1v15())
print(text.splitlines()[0], issubclass(InvalidSignature, Exception), len(sent), b"pass" in sent, key.decrypt(sent, padding.PKCS1v15()))
"""
FOREIGN_KEY = """
try:
    load_pem_private_key(b"-----BEGIN RSA PRIVATE KEY-----", password=None)
except Exception as error:
    print(error._render_traceback_())
"""


def test_key_pairs_work_as_with_the_real_package():
    assert told(NEEDS_KEYS, "cryptography") == told(NEEDS_KEYS)


def test_what_needs_real_cryptography_says_so_in_one_line():
    refused = told(NEEDS_KEYS + FOREIGN_KEY, "cryptography").splitlines()[-1]
    assert eval(refused) == ["load_pem_private_key() needs the package cryptography, which cannot be had in a browser tab. "
                             "Open this lesson on Binder, or with “make lab”."]


@pytest.mark.parametrize("length", [None, 1, 32, 33, 64])
def test_keys_from_passwords_are_those_of_openssl(length):
    """The same as hashlib's, which rests on OpenSSL; RFC 8018 says what they are."""
    asked = f"'sha256', b'a password', b'salt', 1000, {length}"
    spec = f"from piplite.piplite import pbkdf2_hmac; print(pbkdf2_hmac({asked}).hex())"
    mine = subprocess.run([sys.executable, "-c", spec], env=os.environ | {"PYTHONPATH": os.fspath(TAB)}, capture_output=True,
                          text=True, check=True).stdout
    assert mine.strip() == hashlib.pbkdf2_hmac("sha256", b"a password", b"salt", 1000, length).hex()


def test_without_threads_files_are_transferred_all_the_same_and_a_thread_is_refused_in_one_line():
    program = """
import io, threading
from kit import lab
from kit.lab.tab import do_without_threads
sandbox = lab.start()
do_without_threads()
s3, out = sandbox.client("s3"), io.BytesIO()
s3.create_bucket(Bucket="photos")
s3.upload_fileobj(io.BytesIO(b"x" * 20_000_000), "photos", "large")
s3.download_fileobj("photos", "large", out)
print(len(out.getvalue()), threading.active_count())
try:
    threading.Thread(target=print).start()
except RuntimeError as error:
    print(error._render_traceback_())
"""
    done, refused = told(program).splitlines()
    assert done == "20000000 1"
    assert len(eval(refused)) == 1 and "Binder, or with “make lab”" in refused


def test_the_packages_of_the_tab_are_those_of_constraints_txt(root):
    pinned = dict(line.split("==") for line in root.joinpath("constraints.txt").read_text().splitlines() if "==" in line)
    pinned = {packages.canonicalize_name(name): version for name, version in pinned.items()}
    found = packages._closure()
    assert {name: one.version for name, one in found.items()} == {name: pinned[name] for name in found}
    assert not set(found) & {"cryptography", "time-machine", "cffi", "numpy"}


def test_a_package_with_compiled_parts_goes_in_without_them(tmp_path):
    packages._pack(distribution("pyyaml"), tmp_path / "pyyaml.whl")
    names = zipfile.ZipFile(tmp_path / "pyyaml.whl").namelist()
    assert "yaml/__init__.py" in names and not [name for name in names if name.endswith((".so", ".pyc"))]


def test_a_service_loses_its_prose_and_nothing_else():
    import gzip
    shapes = {"documentation": {"type": "string", "documentation": "<p>a member of this name</p>"}}
    before = {"documentation": "<p>long</p>", "operations": [{"name": "Get", "documentation": "<p>longer</p>"}], "shapes": shapes}
    after = json.loads(gzip.decompress(packages._without_documentation(gzip.compress(json.dumps(before).encode()))))
    assert after == {"documentation": "", "operations": [{"name": "Get", "documentation": ""}],
                     "shapes": {"documentation": {"type": "string", "documentation": ""}}}


def test_the_kits_package_has_its_data_its_notebooks_and_no_site(tmp_path, root):
    names = set(zipfile.ZipFile(packages._kit(tmp_path)).namelist())
    assert {f"notebooks/{path.name}" for path in root.glob("notebooks/*.ipynb")} <= names
    assert {"kit/lab/prices.yaml", "kit/lab/topics.yaml", "kit/course/syllabus.json", "kit/explore/panel.js"} <= names
    assert not [name for name in names if name.startswith(("kit/site", "kit/classroom", "solutions"))]


def test_an_archive_holds_what_its_wheels_hold_and_is_the_same_each_time(tmp_path):
    wheels = [packages._stand_in(TAB / name, tmp_path) for name in ("piplite", "time_machine.py")]
    packages._archive(wheels, tmp_path / "one")
    packages._archive(wheels, tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    with tarfile.open(tmp_path / "one") as archive:
        held = {member.name: archive.extractfile(member).read() for member in archive}
    assert held["time_machine.py"] == (TAB / "time_machine.py").read_bytes()
    assert {"piplite/piplite.py", "piplite-0.dist-info/METADATA", "time_machine-0.dist-info/METADATA"} <= set(held)


def test_data_as_json_says_what_the_yaml_says():
    for path in sorted(data.FOLDER.rglob("*.yaml")):
        plain = json.loads(json.dumps(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader), default=str))
        assert json.loads(packages._as_json(path)) == plain, path.name


def test_the_builder_names_no_host():
    """What is fetched comes from where pip and npm are set up to fetch."""
    for path in [Path(lite.__file__), Path(packages.__file__), packages.COMPILE, lite.START, *TAB.rglob("*.py")]:
        assert "://" not in path.read_text(encoding="utf-8"), path
