"""Collect a class's exercises from a cluster, for ``python -m kit grade``:

    python -m kit.classroom.kubernetes.collect handed_in --namespace classroom

Writes handed_in/<learner>/<lesson>.ipynb. A learner's disk can be read while their server runs: start all of them on the
hub's admin page first; who is missing is named. Needs kubectl, with rights on the namespace.

What comes out of a learner's pod is not trusted: only notebooks that are files are kept, under names made here, none of
them large, and each pod has a minute.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

HOME = "/home/jovyan"  # singleuser.storage.homeMountPath
NOTEBOOK = re.compile(r"exercises/(\w[\w.-]*\.ipynb)")
LEARNER = re.compile(r"\w[\w.@+-]*")  # becomes a folder's name
BIGGEST, MOST = 20 << 20, 200  # bytes of a file, and how many of one learner
SECONDS = 60


def collect(folder: Path, namespace: str) -> dict[str, str]:
    """Copy the exercises of all whose server runs; {learner: "" or what went wrong}. ValueError if kubectl fails."""
    pods = owners(namespace, "pods", "component=singleuser-server")
    homes = owners(namespace, "persistentvolumeclaims", "component=singleuser-storage")
    said = {}
    for learner in sorted(pods.keys() | homes.keys()):
        if not LEARNER.fullmatch(learner):
            said[learner] = "this name cannot be a folder's: copy by hand"
        elif learner not in pods:
            said[learner] = "the server doesn't run: start it on the hub's admin page"
        else:
            said[learner] = fetch(folder / learner, namespace, pods[learner])
    return said


def fetch(folder: Path, namespace: str, pod: str) -> str:
    """Copy one pod's exercises; "" or what went wrong."""
    command = kubectl(namespace, "exec", pod, "--container=notebook", "--",
                      "tar", "--create", f"--directory={HOME}", "exercises")
    kept, trouble = 0, ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        end = threading.Timer(SECONDS, program.kill)
        end.start()
        try:
            with tarfile.open(fileobj=program.stdout, mode="r|") as archive:
                for seen, member in enumerate(archive, 1):
                    if member.size > BIGGEST or seen > MOST:
                        trouble = f"not all is here: {member.name!r} is too large, or one too many"
                        break
                    if (found := NOTEBOOK.fullmatch(member.name)) and member.isfile():
                        write(folder / found[1], archive.extractfile(member).read())
                        kept += 1
        except tarfile.TarError as error:
            trouble = f"the copy broke off: {error}"
        finally:
            end.cancel()
            program.kill()
    return trouble or ("" if kept else "there is no notebook in exercises/")


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    os.replace(new, path)


def owners(namespace: str, kind: str, label: str) -> dict[str, str]:
    """{learner: name of the pod or volume}; JupyterHub notes on each whose it is."""
    command = kubectl(namespace, "get", kind, f"--selector={label}", "--output=json")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"kubectl: {done.stderr.strip()}")
    found = [item["metadata"] for item in json.loads(done.stdout)["items"]]
    return {one["annotations"]["hub.jupyter.org/username"]: one["name"] for one in found}


def kubectl(namespace: str, *arguments: str) -> list[str]:
    if not shutil.which("kubectl"):
        raise ValueError("kubectl is not installed: see kubernetes.io, Install Tools")
    return ["kubectl", f"--namespace={namespace}", *arguments]


def main(arguments: list[str] | None = None) -> int:
    """0: all have been collected, 1: not all, 2: nothing could be done."""
    parser = argparse.ArgumentParser("python -m kit.classroom.kubernetes.collect",
                                     description="Collect a class's exercises from a cluster.")
    parser.add_argument("folder", type=Path, help="where to: FOLDER/<learner>/<lesson>.ipynb")
    parser.add_argument("--namespace", default="classroom", help="of the cluster (default: %(default)s)")
    asked = parser.parse_args(arguments)
    try:
        said = collect(asked.folder, asked.namespace)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    for learner, trouble in said.items():
        print(f"{learner}: {trouble or 'collected'}")
    return 1 if any(said.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
