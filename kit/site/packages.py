"""The Python packages of a browser tab, in two archives that ``start.mjs`` lays out where Python looks for packages.

They are made from the packages installed beside this module: their files without what is compiled for this machine. So
their versions are those of constraints.txt, and nothing is fetched. Each is compiled once to the byte code of the tab's
own Python, which halves the time of an import, and botocore's 439 services lose their documentation, four fifths of
their size. What exists only compiled has a stand-in in ``tab/``. Python's own library is compiled as well.

The kit is such a package too, with its source, and with the notebooks that it reads itself: it would take many times as
long to import it file by file from the tab's drive.
"""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
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
OF_THE_KERNEL = "ipykernel", "pyodide_kernel"  # wheels that the kernel brings along
LIBRARY = "python_stdlib.zip"  # of Pyodide
# tar, gzipped, by names that no host takes for something to unpack; start.mjs has the names too
OTHERS, OWN = "packages.archive", "kit.archive"


def write(folder: Path, cache: Path, pyodide: Path) -> None:
    """Write the two archives and Python's library into a folder; other people's work is kept in ``cache``.

    RuntimeError in words.
    """
    others = _others(cache, pyodide)
    for name in (OTHERS, LIBRARY):
        shutil.copy(others / name, folder)
    with tempfile.TemporaryDirectory() as scratch:
        own = [_stand_in(one, Path(scratch)) for one in sorted(TAB.iterdir())
               if one.suffix == ".py" or one.joinpath("__init__.py").exists()]
        own.append(_kit(Path(scratch)))
        _compile(pyodide, "cached", own)
        _archive(own, folder / OWN)


def _others(cache: Path, pyodide: Path) -> Path:
    """A folder with the archive of installed packages and with Python's library: made before, if they are the same."""
    found = _closure()
    brought = [path for path in sorted((Path(sys.prefix) / KERNEL / "static" / "pypi").glob("*.whl"))
               if path.name.partition("-")[0] in OF_THE_KERNEL]
    versions = [*(f"{name} {one.version}" for name, one in sorted(found.items())),
                *(path.name for path in brought), pyodide.name]
    recipe = hashlib.sha256("\n".join([*versions, Path(__file__).read_text(), COMPILE.read_text()]).encode())
    folder = cache / f"packages-{recipe.hexdigest()[:12]}"
    if not folder.exists():
        for old in cache.glob("packages-*"):
            shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:  # two builds at a time don't meet
            wheels, draft = Path(scratch, "wheels"), Path(scratch, "draft")
            wheels.mkdir()
            draft.mkdir()
            for name, one in found.items():
                _pack(one, wheels / f"{name}.whl")
            for path in brought:
                shutil.copy(path, wheels)
            _compile(pyodide, "instead", sorted(wheels.iterdir()))
            _archive(sorted(wheels.iterdir()), draft / OTHERS)
            shutil.copy(pyodide / LIBRARY, draft)
            _compile(pyodide, "zipped", [draft / LIBRARY])
            if not folder.exists():
                draft.rename(folder)
    return folder


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


def _stand_in(one: Path, folder: Path) -> Path:
    """A module or a package of tab/, as a wheel."""
    path = folder / f"{one.stem}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in [one] if one.is_file() else sorted(one.rglob("*.py")):
            _add(wheel, file.relative_to(TAB).as_posix(), file.read_bytes())
        _add_metadata(wheel, one.stem)
    return path


def _kit(folder: Path) -> Path:
    """The kit without its site and its classroom, and the notebooks as ``kit.course`` looks for them, as a wheel."""
    path = folder / "kit.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in [*sorted((ROOT / "kit").rglob("*.*")), *sorted(ROOT.glob("notebooks/*.ipynb")),
                     *sorted(ROOT.glob("exercises/*.ipynb"))]:
            name = file.relative_to(ROOT).as_posix()
            if file.is_file() and not name.startswith(("kit/site/", "kit/classroom/")) and "/__pycache__/" not in name:
                _add(wheel, name, file.read_bytes())
            if name.startswith("kit/course/") and file.suffix == ".yaml":
                _add(wheel, f"{name.removesuffix('.yaml')}.json", _as_json(file))
        _add_metadata(wheel, "kit")
    return path


def _as_json(file: Path) -> bytes:
    """A file of data for ``kit.course.data``: where YAML is read by Python alone, the whole ledger takes seconds."""
    import yaml
    return json.dumps(yaml.safe_load(file.read_text(encoding="utf-8")), default=str, ensure_ascii=False).encode()


def _add(wheel: zipfile.ZipFile, name: str, data: bytes) -> None:
    wheel.writestr(zipfile.ZipInfo(name), data)


def _add_metadata(wheel: zipfile.ZipFile, name: str) -> None:
    _add(wheel, f"{name}-0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n".encode())


def _archive(wheels: Iterable[Path], path: Path) -> None:
    """What several wheels hold, as one archive: the same files make the same archive."""
    with (path.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
          tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive):
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as opened:
                for info in opened.infolist():
                    member = tarfile.TarInfo(info.filename)
                    member.size = info.file_size
                    archive.addfile(member, opened.open(info))


def _compile(pyodide: Path, where: str, archives: list[Path]) -> None:
    """Byte code into zip files: "instead" of the source, "cached" or "zipped"; by Pyodide itself, in Node.js."""
    done = subprocess.run(["node", str(COMPILE), str(pyodide.absolute()), str(archives[0].absolute().parent), where,
                           *(path.name for path in archives)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the packages of the browser tab could not be compiled: {done.stderr[-1500:]}")
