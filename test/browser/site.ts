/**
 * The pure packages as a web site: sources with their types stripped, and an import map that resolves names as a
 * browser's tools would. No bundler stands between the sources and the browser, and nothing else is served.
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** What a manifest says about resolution. */
interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, Target>>;
  readonly imports?: Readonly<Record<string, Target>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly nx?: { readonly tags?: readonly string[] };
}

type Target = string | { readonly [condition: string]: Target };

/** The conditions of a browser that reads sources; `node` is none of them. */
const CONDITIONS = ["@bootproof/source", "browser", "import", "default"];

/** An import map (HTML, section 8.1.5.3). */
interface ImportMap {
  readonly imports: Record<string, string>;
  readonly scopes: Record<string, Record<string, string>>;
}

/** Serves the site on a free port of this machine. */
export async function serveSite(): Promise<{ readonly url: string; readonly server: Server }> {
  const packages = await purePackages();
  const map = await importMap(packages);
  const folders = [...packages.keys()].map((folder) => `/${folder}/`);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    answer(pathname, map, folders).then(
      ([type, body]) => response.writeHead(200, { "content-type": type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { url: `http://127.0.0.1:${address.port}/`, server };
}

async function answer(
  pathname: string,
  map: ImportMap,
  folders: readonly string[],
): Promise<[type: string, body: string | Buffer]> {
  if (pathname === "/") return ["text/html", page(map)];
  const allowed = [...folders, "/node_modules/@noble/", "/test/browser/"];
  if (!allowed.some((folder) => pathname.startsWith(folder))) throw new Error(`not served: ${pathname}`);
  const content = await readFile(path.join(ROOT, path.normalize(pathname)));
  if (pathname.endsWith(".ts")) return ["text/javascript", stripTypeScriptTypes(content.toString())];
  return [pathname.endsWith(".js") ? "text/javascript" : "application/octet-stream", content];
}

const page = (map: ImportMap): string =>
  `<!doctype html><title>bootproof</title><script type="importmap">${JSON.stringify(map)}</script>
<script type="module" src="/test/browser/page.ts"></script>`;

/** Manifests of the packages that claim to run in a browser, by folder. */
async function purePackages(): Promise<Map<string, Manifest>> {
  const found = new Map<string, Manifest>();
  for (const folder of await readdir(ROOT)) {
    const text = await readFile(path.join(ROOT, folder, "package.json"), "utf8").catch(() => undefined);
    if (text === undefined || folder === "node_modules") continue;
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.nx?.tags?.includes("pure") === true) found.set(folder, manifest);
  }
  return found;
}

async function importMap(packages: ReadonlyMap<string, Manifest>): Promise<ImportMap> {
  const map: ImportMap = { imports: {}, scopes: {} };
  for (const [folder, { name, exports = {}, imports = {}, dependencies = {} }] of packages) {
    for (const [subpath, target] of Object.entries(exports))
      if (subpath !== "./package.json") map.imports[name + subpath.slice(1)] = resolve(folder, target);
    const own = Object.entries(imports).map(([key, target]) => [key, resolve(folder, target)] as const);
    if (own.length > 0) map.scopes[`/${folder}/`] = Object.fromEntries(own);
    for (const library of Object.keys(dependencies).filter((key) => key.startsWith("@noble/")))
      Object.assign(map.imports, await libraryImports(library));
  }
  return map;
}

/** Every path that a library exports. */
async function libraryImports(library: string): Promise<Record<string, string>> {
  const folder = `node_modules/${library}`;
  const manifest = JSON.parse(await readFile(path.join(ROOT, folder, "package.json"), "utf8")) as Manifest;
  const files = Object.entries(manifest.exports ?? {}).filter(([subpath]) => subpath.endsWith(".js"));
  return Object.fromEntries(
    files.map(([subpath, target]) => [library + subpath.slice(1), resolve(folder, target)]),
  );
}

/** The file behind the first condition that holds, as an address on the site. */
function resolve(folder: string, target: Target): string {
  if (typeof target === "string") return `/${folder}/${target.replace(/^\.\//, "")}`;
  const [, next] = Object.entries(target).find(([condition]) => CONDITIONS.includes(condition)) ?? [];
  if (next === undefined) throw new Error(`no condition of a browser holds in ${folder}`);
  return resolve(folder, next);
}
