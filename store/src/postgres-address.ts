/**
 * Where a PostgreSQL database is, as a URL without a secret: `postgres://user@host:port/database?sslmode=verify-full`.
 * Passwords in URLs end up in process lists, shell histories and logs, so they are refused here.
 * @module
 */
import { quote } from "@bootproof/bytes";
import { StoreError } from "./store-error.ts";

/** How the connection is protected: not at all, by a certificate of a known authority, or of that name too. */
export type TlsMode = "disable" | "verify-ca" | "verify-full";

/** A database and who asks; fields that are absent come from PGUSER, PGDATABASE, PGPORT and PGHOST. */
export interface PostgresAddress {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly database?: string;
  readonly tls: TlsMode;
  /** A file of certificate authorities to believe instead of the system's. */
  readonly rootCertificate?: string;
}

const MAX_URL = 2048;
const PARAMETERS = ["host", "port", "user", "sslmode", "sslrootcert"];
const LOOPBACK = /^(localhost|127(\.[0-9]{1,3}){3}|::1)$/;

/** Parses a URL; throws {@link StoreError}, which never repeats a password. */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = text.length > MAX_URL ? null : URL.parse(text);
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol) || url.hash !== "")
    throw refused("not the URL of a PostgreSQL database");
  if (url.password !== "" || url.searchParams.has("password")) throw refused("a password stands in the URL");
  for (const [name] of url.searchParams) {
    if (!PARAMETERS.includes(name)) throw refused(`unknown parameter ${quote(name)}`, PARAMETERS.join(", "));
    if (url.searchParams.getAll(name).length > 1) throw refused(`parameter ${name} twice`);
  }
  const parameter = (name: string): string => url.searchParams.get(name) ?? "";
  const host = parameter("host") || decode(url.hostname).replace(/^\[(.*)\]$/, "$1");
  const port = parameter("port") || url.port;
  const user = parameter("user") || decode(url.username);
  const database = decode(url.pathname.slice(1));
  return {
    ...(host === "" ? {} : { host }),
    ...(port === "" ? {} : { port: parsePort(port) }),
    ...(user === "" ? {} : { user }),
    ...(database === "" ? {} : { database }),
    tls: parseTlsMode(parameter("sslmode"), host),
    ...(parameter("sslrootcert") === "" ? {} : { rootCertificate: parameter("sslrootcert") }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("a broken % escape");
  }
}

function parsePort(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text) || Number(text) > 65_535)
    throw refused("a port out of range", "1 to 65535");
  return Number(text);
}

/** Without a mode, what leaves this machine is protected in full: libpq's default falls back to plain text. */
function parseTlsMode(mode: string, host: string): TlsMode {
  const isLocal = host === "" || host.startsWith("/") || LOOPBACK.test(host);
  switch (mode) {
    case "":
      return isLocal ? "disable" : "verify-full";
    case "disable":
    case "verify-ca":
    case "verify-full":
      return mode;
    default:
      throw refused(`sslmode ${quote(mode)}`, "disable, verify-ca or verify-full: the others verify nobody");
  }
}

function refused(why: string, expected?: string): StoreError {
  return new StoreError("BP-STORE-031", `cannot use this database URL: ${why}`, {
    expected: expected ?? "postgres://user@host:port/database",
    hint: "give the password by PGPASSWORD or a password file (PGPASSFILE, ~/.pgpass)",
  });
}
