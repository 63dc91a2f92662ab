/**
 * One question to an ssh-agent over its socket: a connection of its own, a bound on the answer and on the time.
 * @module
 */
import { createConnection, type Socket } from "node:net";

import { ParseError } from "@bootproof/bytes";

import { parseMessageLength } from "./agent-codec.ts";
import { didNotSign } from "./signer-failure.ts";

// A key may ask for a touch or a confirmation; a person needs that long.
const PATIENCE_MS = 60_000;
const HEADER = 4;

/** Asks the agent at `path`; returns its answer without the length. */
export async function askAgent(
  path: string,
  request: Uint8Array,
  patience: number = PATIENCE_MS,
): Promise<Uint8Array> {
  const socket = createConnection(path);
  const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${patience} ms`)), patience);
  try {
    socket.write(request);
    return await readAnswer(socket);
  } catch (error) {
    if (error instanceof ParseError) throw error;
    const found = error instanceof Error ? error.message : String(error);
    throw didNotSign("the ssh-agent does not answer", found, "start one: eval $(ssh-agent)", error);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

async function readAnswer(socket: Socket): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  let end: number | undefined;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    const all = size >= HEADER && end === undefined ? Buffer.concat(chunks) : undefined;
    if (all !== undefined) end = HEADER + parseMessageLength(new Uint8Array(all.subarray(0, HEADER)));
    if (end === undefined || size < end) continue;
    if (size > end)
      throw new ParseError("TRAILING", "agent answer", { expected: `${end} bytes`, found: `${size}` });
    return new Uint8Array(Buffer.concat(chunks).subarray(HEADER));
  }
  throw new Error("it closed the connection");
}
