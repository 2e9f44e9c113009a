// node run.mjs PYODIDE PROGRAM FOLDER=AT ... ARCHIVE.zip|.whl ...
// Runs a Python program in Pyodide, with files of this machine put where it can read them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const PACKAGES = ["numpy", "scipy", "scikit-learn", "matplotlib", "pillow", "joblib", "threadpoolctl", "packaging"];
const [folder, program, ...given] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")).href);
const python = await loadPyodide({ indexURL: join(folder, "/") });
await python.loadPackage(PACKAGES, { messageCallback: () => {} });
for (const one of given) {
  if (one.includes("=")) {
    const [from, to] = one.split("=");
    python.FS.mkdirTree(to);
    for (const name of readdirSync(from).filter((name) => name.endsWith(".py"))) {
      python.FS.writeFile(join(to, name), readFileSync(join(from, name)));
    }
  } else {
    const bytes = readFileSync(one); // an ArrayBuffer of its own: a Buffer's may be shared, and is not understood
    python.unpackArchive(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength), "zip");
  }
}
await python.runPythonAsync("import os, sys; sys.path.insert(0, os.getcwd())");
try {
  await python.runPythonAsync(readFileSync(program, "utf8"));
} catch (error) {
  console.error(error.message); // not the whole of it, which quotes a megabyte of Pyodide's own code
  process.exit(1);
}
