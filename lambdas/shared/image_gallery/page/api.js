// The REST API: one key, one way to ask, one way to fail.

import { t } from "./text.js";

const STORE = "api-key";
const ATTEMPTS = 4;
const LONGEST_WAIT = 8;
const AGAIN = new Set([429, 503, 504]);
/** What is asked by POST and changes nothing. */
const READING = new Set(["/search", "/metadata", "/images/file"]);

/** The address of the API, which serves this page at its root. */
export const base = new URL(".", document.baseURI);
/** What is told of asking: `busy` (an answer is waited for again), `refused` (the key is not accepted). */
export const told = new EventTarget();

let key = sessionStorage.getItem(STORE);

export const hasKey = () => Boolean(key);

/** Keep the key as long as the browser's tab is open; null forgets it. */
export function setKey(text) {
  key = text;
  if (text) sessionStorage.setItem(STORE, text);
  else sessionStorage.removeItem(STORE);
}

/** The API's answer of failure; `problem` is its document (RFC 9457), as far as there is one. */
export class Refused extends Error {
  constructor(status, problem, wait) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.type = String(problem.type || "").replace("urn:image-metadata:problem:", "");
    this.wait = wait;
  }
}

/** No answer at all: no network, or no server. */
export class Unreachable extends Error {}

/** Whether a path can name an image: browsers resolve the parts "." and ".." of one, and gateways join "//". */
export const hasPath = (imageId) => imageId.split("/").every((part) => !["", ".", ".."].includes(part));

/** The image id as a part of a path; raises Refused where that would name another image. */
export function pathOf(imageId) {
  if (!hasPath(imageId)) throw new Refused(400, { detail: t("error.no-path") });
  return imageId.split("/").map(encodeURIComponent).join("/");
}

export function urlOf(path, query = {}) {
  const url = new URL(path.replace(/^\//, ""), base);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** Whether the key is an access token: either is asked for as a key, and a key may have dots, too. */
function isToken() {
  // A JSON Web Token (RFC 7515 section 7.1): three parts in base64url, of which the first states the algorithm.
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(key ?? "")) return false;
  try {
    return typeof JSON.parse(atob(key.split(".")[0].replaceAll("-", "+").replaceAll("_", "/"))).alg === "string";
  } catch {
    return false;
  }
}

/** The headers of a request: the key or token, beside `more`. */
export function headers(more = {}) {
  if (!key) return more;
  return isToken() ? { Authorization: `Bearer ${key}`, ...more } : { "x-api-key": key, ...more };
}

/** Send a request; what is worth asking again is asked again. Returns the Response, raises Refused or Unreachable. */
export async function send(method, path, { query, json, signal, keepalive } = {}) {
  const options = { method, signal, keepalive, headers: headers(json ? { "Content-Type": "application/json" } : {}) };
  if (json) options.body = JSON.stringify(json);
  for (let attempt = 1; ; attempt += 1) {
    let answer;
    try {
      answer = await fetch(urlOf(path, query), options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Unreachable(error.message);
    }
    if (answer.ok) return answer;
    const failure = await refusal(answer);
    const may = method === "GET" || READING.has(path);
    if (!may || attempt === ATTEMPTS || !AGAIN.has(failure.status) || failure.type === "quota-exceeded") {
      // 403 to a token: it is good, and does not allow this.
      if (failure.status === 401 || (failure.status === 403 && !isToken())) told.dispatchEvent(new CustomEvent("refused", { detail: failure }));
      throw failure;
    }
    told.dispatchEvent(new CustomEvent("busy"));
    await pause(Math.min(failure.wait * 2 ** (attempt - 1), LONGEST_WAIT) * (0.75 + Math.random() / 2), signal);
  }
}

/** Send a request and read the JSON of its answer. */
export async function ask(method, path, options) {
  const answer = await send(method, path, options);
  return answer.status === 204 ? null : answer.json();
}

/** What an answer of failure says, as Refused. */
export async function refusal(answer) {
  const problem = await answer.json().catch(() => ({}));
  return new Refused(answer.status, problem, Number(answer.headers.get("Retry-After")) || 1);
}

/** Wait some seconds; raises when `signal` aborts. */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

/** The same request for a terminal. The key is never part of it. */
export function curl({ method, path, query, json }) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = [`curl -H "x-api-key: $API_KEY"`];
  if (method !== "GET") lines[0] += ` -X ${method}`;
  if (json) lines.push(`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(json))}`);
  lines.push(quoted(String(urlOf(path, query))));
  return lines.join(" \\\n  ");
}
