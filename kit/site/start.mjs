// What JupyterLite takes for Pyodide: Pyodide itself, which finds every package in its place when it starts.
// Pyodide would unpack wheel by wheel, in Python, which takes the better part of five seconds.
import { loadPyodide as load } from "./pyodide.mjs";

const ARCHIVES = ["packages.archive", "kit.archive"];
const BLOCK = 512; // bytes: a tar file is made of them

export function loadPyodide(options) {
    const fetched = ARCHIVES.map(unpacked);
    return load({ ...options, packages: [], fsInit: async (FS, { sitePackages }) => {
        for (const archive of fetched) {
            layOut(FS, sitePackages, await archive);
        }
    } });
}

async function unpacked(name) {
    const answer = await fetch(new URL(name, import.meta.url));
    if (!answer.ok) {
        throw new Error(`Python's packages did not come: ${name}, ${answer.status} ${answer.statusText}`);
    }
    const tar = answer.body.pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(tar).arrayBuffer());
}

// The files of a tar file (POSIX ustar: a block of headings, then the contents in whole blocks) into a folder.
function layOut(FS, folder, tar) {
    const folders = new Set();
    const read = (from, length) => new TextDecoder().decode(tar.subarray(from, from + length)).split("\0", 1)[0];
    for (let at = 0; tar[at]; ) { // a block of zeros ends it
        const path = [folder, read(at + 345, 155), read(at, 100)].filter(Boolean).join("/");
        const parent = path.slice(0, path.lastIndexOf("/"));
        const size = parseInt(read(at + 124, 12), 8);
        if (!folders.has(parent)) {
            FS.mkdirTree(parent);
            folders.add(parent);
        }
        at += BLOCK;
        FS.writeFile(path, tar.subarray(at, at + size), { canOwn: true });
        at += Math.ceil(size / BLOCK) * BLOCK;
    }
}
