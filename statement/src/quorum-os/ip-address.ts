/**
 * IP addresses in the one spelling that Rust's std::net prints (RFC 5952 for IPv6): another spelling would be hashed
 * as this one, so it is refused rather than rewritten.
 * @module
 */
import { ParseError, quote } from "@bootproof/bytes";

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const GROUP = /^(?:0|[1-9a-f][0-9a-f]{0,3})$/;

/** The address, when it is spelled so; throws {@link ParseError}. */
export function checkIpAddress(text: string, field: string): string {
  if (IPV4.test(text) || isIpv6(text)) return text;
  throw new ParseError("NOT_CANONICAL", field, {
    expected: "an IP address in its shortest spelling",
    found: quote(text),
  });
}

function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (text.length > 39 || halves.length > 2) return false;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  if (![...head, ...tail].every((group) => GROUP.test(group))) return false;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return false;
  // Rust writes addresses that hold an IPv4 address in another way.
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  return groups.slice(0, 5).some((group) => group !== "0") && shortest(groups) === text;
}

/** The longest run of zero groups, the first of equals, becomes `::`. */
function shortest(groups: readonly string[]): string {
  let [start, length] = [0, 0];
  for (let at = 0; at < groups.length; at++) {
    let end = at;
    while (groups[end] === "0") end++;
    if (end - at > length) [start, length] = [at, end - at];
  }
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}
