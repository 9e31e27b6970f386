// Compiles the Python files of wheels with the tab's own Python: node compile.mjs PYODIDE FOLDER WHERE WHEEL...
// WHERE "instead": module.pyc takes the place of module.py. "beside": it lies in __pycache__, and holds as long as the
// source is the same. Either way the tab has nothing left to compile.
import { join } from "node:path";

const [pyodide, folder, where, ...wheels] = process.argv.slice(2);
const { loadPyodide } = await import(join(pyodide, "pyodide.mjs"));
const python = await loadPyodide({ indexURL: pyodide });
python.FS.mkdirTree("/wheels");
python.mountNodeFS("/wheels", folder);
python.globals.set("wheels", python.toPy(wheels));
python.globals.set("beside", where === "beside");
python.runPython(`
import zipfile
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import cache_from_source, source_hash

def compiled(name, source):
    code = compile(source, f"/lib/python3.14/site-packages/{name}", "exec", dont_inherit=True)
    return _code_to_hash_pyc(code, source_hash(source), beside)

for path in wheels:
    with zipfile.ZipFile(f"/wheels/{path}") as wheel:
        members = [(info, wheel.read(info)) for info in wheel.infolist()]
    with zipfile.ZipFile(f"/wheels/{path}", "w") as wheel:
        for info, content in members:
            source = info.filename.endswith(".py")
            if beside or not source:
                wheel.writestr(info, content, zipfile.ZIP_DEFLATED, 9)
            if source:
                name = cache_from_source(info.filename) if beside else info.filename + "c"
                wheel.writestr(zipfile.ZipInfo(name, info.date_time), compiled(info.filename, content), zipfile.ZIP_DEFLATED, 9)
`);
