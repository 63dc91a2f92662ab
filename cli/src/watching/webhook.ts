/**
 * Alerts as HTTP requests: POST of the JSON document, signed as Standard Webhooks 1.0 does: `webhook-signature` holds
 * `v1,` and the base64 of HMAC-SHA256 over ID, time and body, so that a receiver can refuse what is forged or replayed.
 * Redirects are not followed: a receiver is who was configured.
 * @module
 */
import { createHmac } from "node:crypto";

import type { AlertDocument } from "./alert-text.ts";
import type { WebhookConfig } from "./watch-config.ts";

/** The value of `webhook-signature`. */
export function signWebhook(secret: Uint8Array, id: string, timestamp: number, body: string): string {
  const mac = createHmac("sha256", secret)
    .update(`${id}.${String(timestamp)}.${body}`)
    .digest("base64");
  return `v1,${mac}`;
}

/** Posts an alert; returns why it was not taken. */
export async function postAlert(
  { url, secret, timeout }: WebhookConfig,
  alert: AlertDocument,
  signal: AbortSignal,
): Promise<string | undefined> {
  const body = JSON.stringify(alert);
  const timestamp = Math.floor(Date.now() / 1000);
  const headers = {
    "content-type": "application/json",
    "user-agent": "bootproof-watch",
    "webhook-id": alert.id,
    "webhook-timestamp": String(timestamp),
    ...(secret === undefined ? {} : { "webhook-signature": signWebhook(secret, alert.id, timestamp, body) }),
  };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout * 1000)]);
  try {
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: limit });
    // What a receiver answers is of no interest, however long it is.
    await response.body?.cancel();
    if (response.ok) return undefined;
    const redirects = response.status >= 300 && response.status < 400;
    return `it answers ${String(response.status)}${redirects ? ", a redirect, which is not followed" : ""}`;
  } catch (error) {
    if (limit.aborted && !signal.aborted) return `no answer within ${String(timeout)} s`;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}
