// Runs pack.py in Pyodide, so that what is packed is compiled by the Python that will run it.
// Arguments: the core's folder, the folder with what is to be packed, the folder for what comes out.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [core, from, to] = process.argv.slice(2);
const { loadPyodide } = createRequire(import.meta.url)(join(core, "pyodide.js"));
const python = await loadPyodide({ indexURL: `${core}/` });
for (const folder of ["/in", "/out"]) python.FS.mkdir(folder);
for (const name of readdirSync(from)) python.FS.writeFile(`/in/${name}`, readFileSync(join(from, name)));
python.runPython(readFileSync(join(dirname(fileURLToPath(import.meta.url)), "pack.py"), "utf8"));
for (const name of python.FS.readdir("/out"))
  if (!name.startsWith(".")) writeFileSync(join(to, name), python.FS.readFile(`/out/${name}`));
process.exit(0);
