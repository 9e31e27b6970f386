// Compiles the Python files in zip files with the tab's own Python: node compile.mjs PYODIDE FOLDER WHERE ZIP...
// WHERE "instead": module.pyc takes the place of module.py. "cached": it lies in __pycache__, and holds as long as the
// source is the same. "zipped": it lies beside the source, where Python looks in a zip file that it imports from. Each
// way the tab has nothing left to compile.
import { join } from "node:path";

const [pyodide, folder, where, ...archives] = process.argv.slice(2);
const { loadPyodide } = await import(join(pyodide, "pyodide.mjs"));
const python = await loadPyodide({ indexURL: pyodide });
python.FS.mkdirTree("/archives");
python.mountNodeFS("/archives", folder);
python.globals.set("archives", python.toPy(archives));
python.globals.set("where", where);
python.runPython(`
import sys, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import cache_from_source, source_hash

library, = [path for path in sys.path if path.endswith(".zip")]
root = library if where == "zipped" else "/lib/python{}.{}/site-packages".format(*sys.version_info)

def compiled(name, source):
    code = compile(source, f"{root}/{name}", "exec", dont_inherit=True)
    return _code_to_hash_pyc(code, source_hash(source), where == "cached")

for name in archives:
    with zipfile.ZipFile(f"/archives/{name}") as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(f"/archives/{name}", "w") as archive:
        def add(name, content):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED if where == "zipped" else zipfile.ZIP_STORED)

        for info, content in members:
            source = info.filename.endswith(".py")
            if where != "instead" or not source:
                add(info.filename, content)
            if source:
                add(cache_from_source(info.filename) if where == "cached" else info.filename + "c", compiled(info.filename, content))
`);
