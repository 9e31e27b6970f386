"""The Python packages of a browser tab, as wheels that Pyodide unpacks when a kernel starts.

They are made from the packages installed beside this module: their files without what is compiled for this machine. So
their versions are those of constraints.txt, and nothing is fetched. Each is compiled once to the byte code of the tab's
own Python, which halves the time of an import, and botocore's 439 services lose their documentation, four fifths of
their size. What exists only compiled has a stand-in in ``tab/``.

The kit is such a wheel too, with its source, and with the notebooks that it reads itself: it would take many times as
long to import it file by file from the tab's drive.
"""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
TAB, COMPILE = Path(__file__).with_name("tab"), Path(__file__).with_name("compile.mjs")
PYTHON = {"python_version": "3.14", "python_full_version": "3.14.2", "sys_platform": "emscripten", "os_name": "posix",
          "platform_system": "Emscripten", "platform_machine": "wasm32", "implementation_name": "cpython",
          "platform_python_implementation": "CPython", "extra": ""}
WANTED = ("anywidget", "awscli", "boto3", "ipython", "moto", "plotly", "pygments", "pyyaml",
          "antlr4-python3-runtime", "jsonpath-ng", "py-partiql-parser")  # the last three: of single services of moto
NOT_NEEDED = {"jupyterlab-widgets", "pexpect", "widgetsnbextension"}  # a terminal's, or the page's
LEFT_OUT = (  # beginnings of file names; awscli's own copies of packages are not what it imports
    "awscli/botocore/", "awscli/s3transfer/", "awscli/examples/", "jedi/third_party/django-stubs/",
    "jedi/third_party/typeshed/stubs/", "plotly/labextension/", "plotly/package_data/widgetbundle.js",
    "plotly/package_data/datasets/", "moto/ssm/resources/ecs/")
COMPILED = ".so", ".pyd", ".c", ".pyx", ".pxd", ".h", ".pyc"
KERNEL = Path("share", "jupyter", "labextensions", "@jupyterlite", "pyodide-kernel-extension")
OF_THE_KERNEL = "ipykernel", "pyodide-kernel"
STAMP = (2026, 1, 1, 0, 0, 0)  # the same files make the same wheel


@dataclass(frozen=True)
class Wheel:
    """A package of the tab: its file, and the names of those that it needs."""

    name: str
    version: str
    path: Path
    needs: tuple[str, ...] = ()

    def entry(self) -> dict:
        """How pyodide-lock.json lists it."""
        return {"name": self.name, "version": self.version, "file_name": self.path.name, "install_dir": "site",
                "sha256": hashlib.sha256(self.path.read_bytes()).hexdigest(), "package_type": "package", "imports": [],
                "depends": list(self.needs), "unvendored_tests": False}


def wheels(folder: Path, cache: Path, pyodide: Path) -> list[Wheel]:
    """Write every wheel into a folder; those of other people's packages are kept in ``cache``. RuntimeError in words."""
    found = _closure()
    made = _others(found, cache, pyodide)
    for wheel in made:
        shutil.copy(wheel.path, folder)
    for path in sorted((Path(sys.prefix) / KERNEL / "static" / "pypi").glob("*.whl")):
        name, version = path.name.split("-")[:2]
        if canonicalize_name(name) in OF_THE_KERNEL:
            made.append(Wheel(canonicalize_name(name), version, Path(shutil.copy(path, folder))))
    own = [_stand_in(one, folder) for one in sorted(TAB.iterdir()) if one.suffix == ".py" or one.joinpath("__init__.py").exists()]
    own.append(_kit(folder, tuple(wheel.name for wheel in [*made, *own])))
    _compile(pyodide, folder, [wheel.path.name for wheel in own], "beside")
    return made + own


def _others(found: dict[str, Distribution], cache: Path, pyodide: Path) -> list[Wheel]:
    """The wheels of installed packages, as they were made before if they are the same."""
    versions = [f"{name} {one.version}" for name, one in sorted(found.items())]
    recipe = hashlib.sha256("\n".join([*versions, Path(__file__).read_text(), COMPILE.read_text(), pyodide.name]).encode())
    folder = cache / f"wheels-{recipe.hexdigest()[:12]}"
    made = [Wheel(name, one.version, folder / _file_name(name, one.version), tuple(n for n in _needs(one) if n in found))
            for name, one in sorted(found.items())]
    if not folder.exists():
        for old in cache.glob("wheels-*"):
            shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:  # two builds at a time don't meet
            draft = Path(scratch, "wheels")
            draft.mkdir()
            for wheel in made:
                _pack(found[wheel.name], draft / wheel.path.name)
            _compile(pyodide, draft, [wheel.path.name for wheel in made], "instead")
            if not folder.exists():
                draft.rename(folder)
    return made


def _closure() -> dict[str, Distribution]:
    """What the kit needs in a tab, as it is installed here."""
    stand_ins = {canonicalize_name(one.stem) for one in TAB.iterdir()}
    found, wanted = {}, list(WANTED)
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name not in found and name not in stand_ins | NOT_NEEDED:
            try:
                found[name] = distribution(name)
            except PackageNotFoundError:
                raise RuntimeError(f"the browser tab needs {name}, which is not installed beside the site's builder: "
                                   "run “make site”, which installs it") from None
            wanted += _needs(found[name])
    return found


def _needs(one: Distribution) -> list[str]:
    needs = map(Requirement, one.requires or ())
    return sorted(canonicalize_name(need.name) for need in needs if need.marker is None or need.marker.evaluate(PYTHON))


def _pack(one: Distribution, path: Path) -> None:
    """The Python files and data of an installed package."""
    with zipfile.ZipFile(path, "w") as wheel:
        for file in sorted(one.files):
            name = file.as_posix()
            if not (name.startswith(("../", *LEFT_OUT)) or name.endswith((*COMPILED, "/RECORD"))):
                data = Path(file.locate()).read_bytes()
                _add(wheel, name, _without_documentation(data) if name.endswith("/service-2.json.gz") else data)


def _without_documentation(packed: bytes) -> bytes:
    """A service's description in botocore, gzipped, without its prose."""
    def bare(part):
        if isinstance(part, dict):
            return {key: "" if key == "documentation" and isinstance(value, str) else bare(value) for key, value in part.items()}
        return [bare(one) for one in part] if isinstance(part, list) else part

    text = json.dumps(bare(json.loads(gzip.decompress(packed))), separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def _stand_in(one: Path, folder: Path) -> Wheel:
    """A module or a package of tab/."""
    made = Wheel(canonicalize_name(one.stem), "0", folder / _file_name(one.stem, "0"))
    with zipfile.ZipFile(made.path, "w") as wheel:
        for file in [one] if one.is_file() else sorted(one.rglob("*.py")):
            _add(wheel, file.relative_to(TAB).as_posix(), file.read_bytes())
        _add_metadata(wheel, made)
    return made


def _kit(folder: Path, needs: tuple[str, ...]) -> Wheel:
    """The kit without its site and its classroom, and the notebooks as ``kit.course`` looks for them."""
    made = Wheel("kit", "0", folder / _file_name("kit", "0"), needs)
    with zipfile.ZipFile(made.path, "w") as wheel:
        for file in [*sorted((ROOT / "kit").rglob("*.*")), *sorted(ROOT.glob("notebooks/*.ipynb")),
                     *sorted(ROOT.glob("exercises/*.ipynb"))]:
            name = file.relative_to(ROOT).as_posix()
            if file.is_file() and not name.startswith(("kit/site/", "kit/classroom/")) and "/__pycache__/" not in name:
                _add(wheel, name, file.read_bytes())
            if name.startswith("kit/course/") and file.suffix == ".yaml":
                _add(wheel, f"{name.removesuffix('.yaml')}.json", _as_json(file))
        _add_metadata(wheel, made)
    return made


def _as_json(file: Path) -> bytes:
    """A file of data for ``kit.course.data``: where YAML is read by Python alone, the whole ledger takes seconds."""
    import yaml
    return json.dumps(yaml.safe_load(file.read_text(encoding="utf-8")), default=str, ensure_ascii=False).encode()


def _add(wheel: zipfile.ZipFile, name: str, data: bytes) -> None:
    wheel.writestr(zipfile.ZipInfo(name, STAMP), data, zipfile.ZIP_DEFLATED, 9)


def _add_metadata(wheel: zipfile.ZipFile, made: Wheel) -> None:
    folder = f"{made.name.replace('-', '_')}-{made.version}.dist-info"
    _add(wheel, f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {made.name}\nVersion: {made.version}\n".encode())


def _file_name(name: str, version: str) -> str:
    return f"{name.replace('-', '_')}-{version}-py3-none-any.whl"


def _compile(pyodide: Path, folder: Path, names: list[str], where: str) -> None:
    """Byte code "instead" of the source or "beside" it, by Pyodide itself, in Node.js."""
    done = subprocess.run(["node", str(COMPILE), str(pyodide.absolute()), str(folder.absolute()), where, *names],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the packages of the browser tab could not be compiled: {done.stderr[-1500:]}")
