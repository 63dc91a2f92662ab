import { describe, expect, it } from "vitest";
import { parsePostgresUrl } from "./postgres-address.ts";
import { matchPassword } from "./postgres-password.ts";

describe("the URL of a database: no secret in it, and no connection that protects nothing", () => {
  it.each([
    [
      "postgres://u@db.example:5433/logs",
      { host: "db.example", port: 5433, user: "u", database: "logs", tls: "verify-full" },
    ],
    [
      "postgresql://db.example/logs?sslmode=verify-ca&sslrootcert=/ca.pem",
      { host: "db.example", database: "logs", tls: "verify-ca", rootCertificate: "/ca.pem" },
    ],
    ["postgres://u%40x@localhost/a%20b", { host: "localhost", user: "u@x", database: "a b", tls: "disable" }],
    [
      "postgres://u@%2Frun%2Fpostgresql/logs",
      { host: "/run/postgresql", user: "u", database: "logs", tls: "disable" },
    ],
    [
      "postgres:///logs?host=/run/postgresql&user=u",
      { host: "/run/postgresql", user: "u", database: "logs", tls: "disable" },
    ],
    ["postgres://[::1]:5432", { host: "::1", port: 5432, tls: "disable" }],
    ["postgres://10.0.0.1?sslmode=disable", { host: "10.0.0.1", tls: "disable" }],
  ])("reads %s", (text, address) => {
    expect(parsePostgresUrl(text)).toEqual(address);
  });

  it.each([
    ["postgres://u:secret@h/d", /password/],
    ["postgres://h/d?password=secret", /password/],
    ["postgres://h/d?sslmode=require", /sslmode/],
    ["postgres://h/d?sslmode=prefer", /sslmode/],
    ["postgres://h/d?options=-csynchronous_commit%3Doff", /unknown parameter/],
    ["postgres://h/d?host=a&host=b", /twice/],
    ["postgres://h/d?port=0", /port/],
    ["postgres://h/%zz", /escape/],
    ["http://h/d", /not the URL/],
    ["host=h dbname=d password=secret", /not the URL/],
    ["postgres://h/d#x", /not the URL/],
    ["", /not the URL/],
  ])("refuses %s", (text, why) => {
    expect(() => parsePostgresUrl(text)).toThrow(why);
    expect(() => parsePostgresUrl(text)).not.toThrow(/secret/);
  });
});

describe("the password file of libpq", () => {
  const file =
    "# comment\nother:5432:logs:u:wrong\nh:5432:logs:u:right\\:with\\\\colon\n*:*:*:admin:any\nlocalhost:5432:*:s:socket:x\n";
  it.each([
    [{ host: "h", port: 5432, database: "logs", user: "u" }, "right:with\\colon"],
    [{ host: "h", port: 5433, database: "logs", user: "u" }, undefined],
    [{ host: "any", port: 1, database: "x", user: "admin" }, "any"],
    [{ host: "/run/postgresql", port: 5432, database: "x", user: "s" }, "socket:x"],
  ])("finds the first line for %j", (query, password) => {
    expect(matchPassword(file, query)).toBe(password);
  });
});
