/** Asking the server; what it refuses becomes an error with its own words. */

import { askForToken } from "./token.js";

export class Problem extends Error {
  constructor(status, detail) {
    super(detail || `the server answered ${status}`);
    this.status = status;
  }
}

/** Ask for JSON. `query` becomes the address's query, `body` a JSON body. */
export async function ask(path, { method, body, query, signal } = {}) {
  const response = await send(path, { method, body, query, signal });
  return response.status === 204 ? null : response.json();
}

/** Ask for anything; return the response. */
export async function send(path, { method, body, query, signal } = {}) {
  const address = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") address.searchParams.append(name, one);
    }
  }
  const raw = body instanceof Blob;
  const options = { method: method ?? (body === undefined ? "GET" : "POST"), signal };
  if (body !== undefined) {
    options.body = raw ? body : JSON.stringify(body);
    options.headers = { "Content-Type": raw ? "application/octet-stream" : "application/json" };
  }
  const response = await reached(address, options);
  if (response.ok) return response;
  if (response.status === 401 && (await askForToken())) return send(path, { method, body, query, signal });
  const told = await response.json().catch(() => ({}));
  throw new Problem(response.status, told.detail || told.title);
}

async function reached(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "the server cannot be reached");
  }
}

/** Ask again for a while if the server is busy with what others asked. */
export async function askPatiently(path, options = {}) {
  for (let tries = 0; ; tries++) {
    try {
      return await ask(path, options);
    } catch (error) {
      if (error.status !== 429 || tries > 30) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** Wait for a job; `onProgress` is told of it twice a second. */
export async function follow(job, onProgress, signal) {
  for (;;) {
    const state = await ask(`/api/jobs/${job}`, { signal });
    onProgress(state);
    if (["done", "failed", "cancelled"].includes(state.state)) return state;
    await new Promise((resolve) => setTimeout(resolve, 400));
    if (signal?.aborted) throw new DOMException("left", "AbortError");
  }
}

let known = null;

/** Return what is in the library; it is asked for once, and again after `refresh`. */
export function library(refresh = false) {
  if (refresh || known === null) {
    known = ask("/api/library");
    known.catch(() => {
      known = null;
    });
  }
  return known;
}
