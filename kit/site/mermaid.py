"""mermaid.min.js, which draws the lessons' diagrams: fetched once with npm and kept."""

import subprocess
import tarfile
from pathlib import Path

VERSION = "11.12.0"


def fetched(cache: Path) -> Path:
    """The file, from ``cache`` or from the npm registry. RuntimeError if it can't be had."""
    file = cache / f"mermaid-{VERSION}.min.js"
    if file.exists():
        return file
    cache.mkdir(parents=True, exist_ok=True)
    packed = cache / f"mermaid-{VERSION}.tgz"
    try:
        subprocess.run(["npm", "pack", "--silent", f"mermaid@{VERSION}"], cwd=cache, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise RuntimeError("The site needs npm (Node.js) to fetch what draws its diagrams: install it and try again.") from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"npm could not fetch mermaid {VERSION}: {error.stderr.strip()}") from None
    with tarfile.open(packed) as archive:
        file.write_bytes(archive.extractfile("package/dist/mermaid.min.js").read())
    packed.unlink()
    return file
