// What the page's modules decide without a browser or a deployment: run by tests/e2e/test_gallery.py.

import assert from "node:assert/strict";
import { test } from "node:test";

const PAGE = new URL("../../../lambdas/shared/image_gallery/page/", import.meta.url);
const store = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
Object.assign(globalThis, { document: { baseURI: "https://api.example/prod/" }, sessionStorage: store, localStorage: store });
Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] }, configurable: true });
const { headers, setKey } = await import(new URL("api.js", PAGE));
const { body, read, sql } = await import(new URL("question.js", PAGE));

const encoded = (text) => Buffer.from(text).toString("base64url");
const token = (header) => `${encoded(header)}.${encoded('{"sub":"é?>"}')}.c2ln-_`;

for (const text of [token('{"alg":"RS256"}'), token('{"typ":"at+jwt","kid":"ÿ~?","alg":"ES256"}')]) {
  test(`an access token is sent as one: ${text}`, () => {
    setKey(text);
    assert.deepEqual(headers({ Accept: "text/csv" }), { Authorization: `Bearer ${text}`, Accept: "text/csv" });
  });
}

for (const text of [
  "plain", "team.gallery.2024", "eyJ.a.b", `${encoded('{"alg":"RS256"}')}.a`, `${token('{"alg":"RS256"}')}.d`, token('{"kid":"1"}'),
  token('{"alg":5}'), token("null"), token('["alg"]'), token('"alg"'), token('{"alg":"RS256"'), `${encoded('{"alg":"RS256"}')}..b`,
]) {
  test(`a key is sent as a key: ${text}`, () => {
    setKey(text);
    assert.deepEqual(headers(), { "x-api-key": text });
  });
}

test("without a key nothing is sent", () => {
  setKey(null);
  assert.deepEqual(headers(), {});
});

for (const [interval, filter, where] of [
  ["2024-05", "taken_at >= '2024-05' AND taken_at <= '2024-05'", "left(taken_at, 7) >= '2024-05' AND left(taken_at, 7) <= '2024-05'"],
  ["2024..2025-02", "taken_at >= '2024' AND taken_at <= '2025-02'", "left(taken_at, 4) >= '2024' AND left(taken_at, 7) <= '2025-02'"],
  ["2024-01-01T00:00:00.5..", "taken_at >= '2024-01-01T00:00:00.5'", "left(taken_at, 21) >= '2024-01-01T00:00:00.5'"],
  ["..2024-05", "taken_at <= '2024-05'", "left(taken_at, 7) <= '2024-05'"],
  ["..", "taken_at IS NOT NULL", "taken_at IS NOT NULL"],
  ["", "taken_at IS NULL", "taken_at IS NULL"],
]) {
  test(`an address asks for the time ${interval}`, () => {
    const { params } = read(`#/?taken_at=${interval}`);
    assert.equal(body(params).filter, filter);
    assert.ok(sql(params).includes(`WHERE ${where}\nORDER`), sql(params));
  });
}
