// The gallery in a browser, on a deployment: run by tests/e2e/test_gallery.py, which says where everything is.
//
// URL, API_KEY, OTHER_KEY (one that can be revoked), SAMPLES (folder), SHOTS (folder for screenshots), BROWSER, NODE_MODULES.

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";

const { URL: address, API_KEY, SAMPLES, SHOTS, BROWSER, NODE_MODULES } = process.env;
const needed = createRequire(path.join(NODE_MODULES, "none.js"));
const { chromium } = needed("playwright-core");
const axe = needed("axe-core");
// On AWS the bucket would have an origin of its own; the local AWS has one for everything.
const ORIGIN = new URL(address).origin;
const WAIT = Number(process.env.WAIT || 60_000);
const ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let browser;
let profile;
let page;
const trouble = [];
const foreign = [];

const report = { axe: {}, weight: 0 };

async function open(options = {}, { key = API_KEY, hash = "" } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-GB", timezoneId: "UTC", ...options });
  context.setDefaultTimeout(WAIT);
  const opened = await context.newPage();
  opened.on("pageerror", (error) => trouble.push(error.stack));
  opened.on("console", (message) => message.type() === "error" && /Content Security Policy|Trusted/i.test(message.text()) && trouble.push(message.text()));
  opened.on("request", (request) => {
    const url = new URL(request.url());
    if (!["blob:", "data:"].includes(url.protocol) && url.origin !== ORIGIN) foreign.push(request.url());
    if (key && request.url().includes(key)) trouble.push(`the key is in ${request.url()}`);
  });
  if (key) await opened.addInitScript((value) => sessionStorage.setItem("api-key", value), key);
  await opened.goto(address + hash);
  return opened;
}

/** Go to an address of the page, as a link does. */
async function visit(hash, on = page) {
  await on.evaluate((to) => {
    location.hash = to;
  }, hash);
}

const count = (on = page) => on.locator(".count").first();
const tiles = (on = page) => on.getByRole("listbox", { name: "Images" }).getByRole("option");

async function matches(pattern, on = page) {
  await on.waitForFunction(([selector, source]) => new RegExp(source).test(document.querySelector(selector)?.textContent || ""), [".count", pattern.source]);
}

/** Pictures in sight are there. */
async function loaded(on = page) {
  await on.waitForFunction(() => [...document.querySelectorAll(".picture")].every((picture) => picture.classList.contains("none")
    || [...picture.querySelectorAll("img")].some((image) => image.complete && image.naturalWidth)));
}

async function accessible(name, on = page) {
  await on.evaluate(axe.source);
  const { violations } = await on.evaluate(() => globalThis.axe.run());
  report.axe[name] = violations.length;
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes[0].html, nodes[0].failureSummary]), [], name);
  const wide = await on.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} pixels wider than the window`);
}

before(async () => {
  browser = await chromium.launch({ executablePath: BROWSER, args: ARGUMENTS });
  profile = await mkdtemp(path.join(tmpdir(), "gallery-"));
});

after(async () => {
  await browser?.close();
  await rm(profile, { recursive: true, force: true });
  console.log(`REPORT ${JSON.stringify(report)}`);
});

beforeEach(() => {
  trouble.length = 0;
  foreign.length = 0;
});

/** A test, after which nothing may have gone wrong in the page, and nothing been asked of others. */
function step(name, body) {
  test(name, async () => {
    await body();
    assert.deepEqual(trouble, []);
    assert.deepEqual(foreign, []);
  });
}

step("asks for the key, and refuses a wrong one", async () => {
  page = await open({}, { key: null });
  const dialog = page.getByRole("dialog", { name: "API key" });
  await dialog.waitFor();
  await accessible("key");
  await dialog.getByLabel("Key of this API").fill("not-the-key-of-this-api");
  await dialog.getByRole("button", { name: "Show the images" }).click();
  await dialog.getByText("The API does not accept this key.").waitFor();
  await dialog.getByLabel("Key of this API").fill(API_KEY);
  await dialog.getByRole("button", { name: "Show the images" }).click();
  await matches(/\d+ images/);
  assert.equal(await dialog.count(), 0);
  assert.ok(!page.url().includes(API_KEY));
  assert.equal(await page.evaluate((key) => JSON.stringify(localStorage).includes(key), API_KEY), false);
});

step("shows tiles with previews, facets and a timeline", async () => {
  await loaded();
  assert.ok(await tiles().count() > 5);
  await page.getByRole("group", { name: "Maker" }).getByText("SONY").waitFor();
  assert.ok(await page.getByRole("region", { name: "Timeline" }).getByRole("button").count() > 5);
  await accessible("images");
  report.weight = await page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/gallery/"))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0));
  assert.ok(report.weight > 10_000 && report.weight < 150_000, `the page weighs ${report.weight} bytes`);
});

step("filters by facets, and back by the back button", async () => {
  const all = await count().textContent();
  await page.getByRole("group", { name: "Maker" }).getByLabel("SONY").check();
  await page.waitForFunction((before) => document.querySelector(".count").textContent !== before, all);
  assert.match(page.url(), /camera\.make=SONY/);
  const sony = await count().textContent();
  await page.getByRole("group", { name: "Maker" }).getByLabel("SONY").waitFor();
  const told = await page.getByRole("group", { name: "Maker" }).locator(".entry", { hasText: "SONY" }).locator(".number").textContent();
  assert.equal(Number(told), Number.parseInt(sony, 10));
  await page.goBack();
  await page.waitForFunction((before) => document.querySelector(".count").textContent === before, all);
  await page.goForward();
  await page.waitForFunction((before) => document.querySelector(".count").textContent === before, sony);
  await page.getByRole("button", { name: /Take the filter Maker SONY/ }).click();
  await page.waitForFunction((before) => document.querySelector(".count").textContent === before, all);
});

step("filters by a bar of the timeline, and shows the bars beside it", async () => {
  const bars = page.locator(".bar-of-month");
  await bars.first().waitFor();
  const before = await bars.count();
  const label = await bars.nth(2).getAttribute("aria-label");
  await bars.nth(2).click();
  await matches(new RegExp(`^${label.match(/: (\d+) image/)[1]} images?$`));
  await page.waitForFunction((many) => document.querySelectorAll(".bar-of-month").length === many, before);
  await bars.nth(4).click({ modifiers: ["Shift"] });
  await page.waitForFunction(() => document.querySelectorAll(".bar-of-month[aria-pressed=true]").length === 3);
  await visit("#/");
});

step("searches words, and says when nothing fits", async () => {
  await page.keyboard.press("/");
  await page.keyboard.type("kyoto");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=kyoto/);
  await matches(/^\d images?$/);
  for (const name of await tiles().locator(".name").allTextContents()) assert.match(name, /kyoto/);
  await visit("#/?q=nothingiscalledso");
  await page.getByText("No image fits").waitFor();
  await accessible("nothing found");
});

step("says what is wrong with a filter in one's own words", async () => {
  await visit("#/?where=camra.make+%3D+'SONY'");
  await page.getByText("The API refused that").waitFor();
  await page.getByText(/camera\.make/).first().waitFor();
});

step("shows an image with every field, its neighbours, the request", async () => {
  await visit("#/?camera.make=Canon&has_gps=true");
  await tiles().first().waitFor();
  await loaded();
  await tiles().first().click();
  const dialog = page.locator("dialog.detail");
  await dialog.locator("figure img").waitFor();
  await dialog.getByRole("rowheader", { name: /camera\.model/ }).waitFor();
  assert.match(page.url(), /image=uploads/);
  await page.waitForFunction(() => document.querySelector(".detail figure img")?.naturalWidth > 320);
  await accessible("image");
  const first = await dialog.getByRole("heading", { level: 2 }).textContent();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((before) => document.querySelector("dialog h2") && document.querySelector("dialog h2").textContent !== before, first);
  await dialog.getByRole("button", { name: "Show the request" }).click();
  const request = page.getByRole("dialog", { name: "Show the request" });
  const text = await request.locator("pre").first().textContent();
  assert.match(text, /curl -H "x-api-key: \$API_KEY"/);
  assert.ok(!text.includes(API_KEY));
  await accessible("request");
  await page.keyboard.press("Escape");
  await dialog.getByText("The record as JSON").click();
  assert.match(await dialog.locator("details pre").textContent(), /"image_id": "uploads\//);
  await page.screenshot({ path: path.join(SHOTS, "image-1280-light.png") });
  const [file] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Download" }).click()]);
  assert.ok((await readFile(await file.path())).length > 1000);
  await page.keyboard.press("Escape");
  await page.waitForURL((url) => !url.hash.includes("image="));
});

step("a link to an image opens it anew", async () => {
  await visit("#/?camera.make=Canon");
  await tiles().first().waitFor();
  await tiles().first().click();
  await page.waitForURL(/image=uploads/);
  const again = await open({}, { hash: new URL(page.url()).hash });
  await again.locator("dialog.detail th").first().waitFor();
  await again.goto(`${address}#/?image=uploads/there-is-none.jpg`);
  await again.getByText("There is no such image").waitFor();
  await again.context().close();
  await page.keyboard.press("Escape");
});

step("shows places on the map, and a box as a filter", async () => {
  await visit("#/map");
  await page.locator(".cluster").first().waitFor();
  await page.waitForFunction(() => document.querySelector(".land")?.getAttribute("d")?.length > 10_000);
  await accessible("map");
  await page.screenshot({ path: path.join(SHOTS, "map-1280-light.png") });
  const all = Number.parseInt(await count().textContent(), 10);
  await page.getByRole("button", { name: "Draw a box" }).click();
  const area = await page.locator(".map").boundingBox();
  // The western half of the world.
  await page.mouse.move(area.x + 4, area.y + 4);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width * 0.45, area.y + area.height - 4, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/bbox=-17/);
  await page.waitForFunction((before) => Number.parseInt(document.querySelector(".count").textContent, 10) < before, all);
  const inside = Number.parseInt(await count().textContent(), 10);
  assert.ok(inside > 0);
  await page.getByRole("button", { name: "Show as tiles" }).click();
  await matches(new RegExp(`^${inside} images?$`));
  await visit("#/map");
  await page.locator(".map").focus();
  await page.keyboard.press("+");
  await page.waitForFunction(() => Number(document.querySelector(".map svg").getAttribute("viewBox").split(" ")[2]) === 180);
});

step("selects and deletes by keyboard, and takes it back", async () => {
  await visit("#/?format=PNG&format=GIF&format=HEIF");
  await tiles().nth(2).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".tile").length > 2);
  const before = await count().textContent();
  await page.getByRole("listbox", { name: "Images" }).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Shift+ArrowRight");
  await page.getByText("2 selected").waitFor();
  await accessible("selection");
  await page.keyboard.press("Delete");
  await page.getByText("2 images deleted").waitFor();
  await page.waitForFunction((text) => document.querySelector(".count").textContent !== text, before);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.waitForFunction((text) => document.querySelector(".count").textContent === text, before);
});

step("uploads many files, each with its verdict", async () => {
  const names = (await readdir(path.join(SAMPLES, "upload"))).sort();
  await visit("#/uploads");
  await page.locator("#files").setInputFiles(names.map((name) => path.join(SAMPLES, "upload", name)));
  await page.waitForFunction((many) => document.querySelectorAll(".upload").length === many, names.length);
  await page.waitForFunction(() => /, 0 to go/.test(document.querySelector(".count").textContent));
  const verdicts = Object.fromEntries(await page.locator(".upload").evaluateAll((rows) => rows.map((row) => [row.querySelector(".name").textContent, row.querySelector(".verdict").textContent])));
  for (const name of names) {
    const wanted = name.startsWith("text") ? "Not an image" : name.startsWith("broken") ? "damaged" : "Catalogued";
    assert.equal(verdicts[name], wanted, name);
  }
  assert.ok(Object.values(verdicts).filter((verdict) => verdict === "Catalogued").length >= 12);
  await loaded();
  await accessible("uploads");
  await page.screenshot({ path: path.join(SHOTS, "uploads-1280-light.png") });
  // At once, before search knows of it.
  await visit("#/");
  await tiles().first().waitFor();
  assert.ok(names.includes(await tiles().first().locator(".name").textContent()));
});

step("takes files that are pasted and dropped", async () => {
  await visit("#/");
  await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 20;
    canvas.toBlob((blob) => {
      const data = new DataTransfer();
      data.items.add(new File([blob], "pasted.png", { type: "image/png" }));
      document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
      document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    });
  });
  await page.locator(".upload[data-state=done]", { hasText: "pasted.png" }).nth(1).waitFor();
});

step("shows a cancelled and a failed upload, and tries again", async () => {
  await visit("#/uploads");
  let held;
  await page.route("**/upload?*", (route) => {
    held = route;
  });
  await page.locator("#files").setInputFiles({ name: "slow.png", mimeType: "image/png", buffer: await readFile(path.join(SAMPLES, "upload", "a.png")) });
  const row = page.locator(".upload", { hasText: "slow.png" });
  await page.waitForFunction(() => document.querySelector(".upload[data-state=sending]"));
  await row.getByRole("button", { name: "Cancel" }).click();
  await row.getByText("Cancelled").waitFor();
  await held?.abort().catch(() => {});
  await page.unroute("**/upload?*");
  await page.route("**/upload?*", (route) => route.abort("internetdisconnected"), { times: 1 });
  await row.getByRole("button", { name: "Try again" }).click();
  await row.getByText("The API does not answer").first().waitFor();
  await row.getByRole("button", { name: "Try again" }).click();
  await row.getByText("Catalogued").waitFor();
});

step("shows the same file twice side by side, and deletes one for good", async () => {
  await visit("#/duplicates");
  const group = page.locator(".group").first();
  await group.waitFor();
  await loaded();
  await accessible("duplicates");
  await page.screenshot({ path: path.join(SHOTS, "duplicates-1280-light.png") });
  await group.getByRole("button", { name: "Select all but the first" }).click();
  const image = await group.locator(".card a").nth(1).getAttribute("href");
  const id = new URLSearchParams(image.split("?")[1]).get("image");
  await page.getByRole("region", { name: "Selection" }).getByRole("button", { name: "Delete" }).click();
  const deleted = page.waitForResponse((answer) => answer.url().endsWith("/images/delete"));
  const { results } = await (await deleted).json();
  assert.ok(results.some((result) => result.image_id === id && result.deleted));
});

step("opens and deletes the very image whose key has dots", async () => {
  await visit("#/?image=uploads%2F..%2Fcat.png");
  const dialog = page.locator("dialog.detail");
  await dialog.locator("td", { hasText: "uploads/../cat.png" }).first().waitFor();
  await dialog.getByRole("button", { name: "Delete" }).click();
  const deleted = page.waitForResponse((answer) => answer.url().endsWith("/images/delete"));
  const { results } = await (await deleted).json();
  assert.deepEqual(results.map(({ image_id: id, deleted: is }) => [id, is]), [["uploads/../cat.png", true]]);
  await visit("#/?image=uploads%2Fcat.png");
  await dialog.locator("td", { hasText: "uploads/cat.png" }).first().waitFor();
  await page.keyboard.press("Escape");
});

step("shows the same picture in other sizes, what looks alike, and problems", async () => {
  await visit("#/duplicates?by=pixels");
  await page.locator(".group").first().waitFor();
  await loaded();
  await accessible("near duplicates");
  assert.ok((await page.locator(".group").allTextContents()).some((text) => /chat\/IMG-/.test(text)));
  await page.locator(".group .card a").first().click();
  await page.locator("dialog.detail").getByRole("link", { name: "Similar images" }).click();
  await page.waitForURL(/#\/similar\?of=/);
  await page.getByText(/of 64 bits differs?/).first().waitFor();
  await loaded();
  await accessible("similar");
  await visit("#/problems");
  await page.getByRole("heading", { name: /damaged files?/ }).waitFor();
  await page.getByRole("heading", { name: /blurred photograph/ }).waitFor();
  await page.getByRole("heading", { name: /dark image/ }).waitFor();
  await loaded();
  await accessible("problems");
  await page.screenshot({ path: path.join(SHOTS, "problems-1280-light.png") });
  await page.locator(".group", { hasText: "damaged file" }).getByRole("link", { name: "Show all" }).click();
  await matches(/^\d+ images?$/);
});

step("nothing of a record becomes markup", async () => {
  await visit("#/?q=script");
  await tiles().first().waitFor();
  const hostile = await page.evaluate(() => [document.querySelectorAll("main script, main iframe, main object, main b").length, globalThis.hacked]);
  assert.deepEqual(hostile, [0, undefined]);
  await tiles().first().click();
  await page.locator("dialog.detail td").getByText("<img src=x onerror=", { exact: false }).first().waitFor();
  assert.equal(await page.evaluate(() => document.querySelectorAll("dialog td img, dialog td script, dialog h2 *").length), 0);
  await page.keyboard.press("Escape");
});

step("waits when the API is busy, and says when there is no network", async () => {
  const other = await open();
  await other.locator(".tile").first().waitFor();
  const problem = { status: 429, contentType: "application/problem+json", headers: { "Retry-After": "1" }, body: JSON.stringify({ type: "urn:image-metadata:problem:too-many-requests", title: "Too many requests", status: 429 }) };
  await other.route("**/search", (route) => route.fulfill(problem), { times: 1 });
  await visit("#/?format=JPEG", other);
  await other.getByText("The API is busy; asking again").waitFor();
  await matches(/^\d+ images$/, other);
  await other.context().setOffline(true);
  await visit("#/?format=PNG", other);
  await other.locator(".empty").getByText("There is no network").waitFor();
  await accessible("offline", other);
  await other.context().setOffline(false);
  await other.getByRole("button", { name: "Try again" }).click();
  await matches(/^\d+ images?$/, other);
  await other.context().close();
});

step("a key that is revoked while files go up leads to the key's dialog", async () => {
  const other = await open({}, { hash: "#/uploads" });
  const problem = { status: 403, contentType: "application/problem+json", body: JSON.stringify({ type: "urn:image-metadata:problem:forbidden", title: "Forbidden", status: 403, detail: "Send a valid API key in the x-api-key header." }) };
  await other.locator("#files").waitFor({ state: "attached" });
  await other.route(/\/(upload|search|metadata|images)/, (route) => route.fulfill(problem));
  await other.locator("#files").setInputFiles([1, 2, 3].map((number) => ({ name: `${number}.png`, mimeType: "image/png", buffer: Buffer.from("x") })));
  await other.locator(".upload").first().getByText("The API does not accept the key").waitFor();
  await visit("#/", other);
  await other.getByRole("dialog", { name: "API key" }).getByText("The API no longer accepts the key").waitFor();
  assert.equal(await other.evaluate(() => sessionStorage.getItem("api-key")), null);
  await other.unroute(/\/(upload|search|metadata|images)/);
  await other.getByLabel("Key of this API").fill(API_KEY);
  await other.getByRole("button", { name: "Show the images" }).click();
  await other.locator(".tile").first().waitFor();
  await other.context().close();
});

for (const [locale, words] of [["es-ES", ["Imágenes", "Todas", "Fabricante"]], ["pt-BR", ["Imagens", "Todas", "Fabricante"]]]) {
  step(`speaks ${locale}`, async () => {
    const other = await open({ locale });
    await other.locator(".tile").first().waitFor();
    for (const word of words) await other.getByText(word, { exact: true }).first().waitFor();
    assert.equal(await other.evaluate(() => document.documentElement.lang), locale.slice(0, 2));
    await other.context().close();
  });
}

for (const [width, height] of [[1280, 860], [360, 740]]) {
  for (const colorScheme of ["light", "dark"]) {
    step(`looks right at ${width} pixels, ${colorScheme}`, async () => {
      const options = { viewport: { width, height }, colorScheme, reducedMotion: "reduce" };
      const other = await open(options, { hash: "#/?sort=-taken_at" });
      await other.locator(".tile").first().waitFor();
      await loaded(other);
      await accessible(`images ${width} ${colorScheme}`, other);
      await other.screenshot({ path: path.join(SHOTS, `images-${width}-${colorScheme}.png`) });
      for (const view of ["map", "duplicates", "uploads"]) {
        await visit(`#/${view}`, other);
        await other.locator({ map: ".cluster", duplicates: ".group", uploads: ".drop" }[view]).first().waitFor();
        await accessible(`${view} ${width} ${colorScheme}`, other);
        await other.screenshot({ path: path.join(SHOTS, `${view}-${width}-${colorScheme}.png`) });
      }
      await other.context().close();
    });
  }
}

step("tells its question in SQL", async () => {
  await visit("#/?camera.make=SONY&camera.make=Google&taken_at=2020..2024-06&bbox=-30,30,179,70&sort=-taken_at");
  await page.getByRole("button", { name: /Take the filter Maker SONY/ }).waitFor();
  await matches(/^\d+ images?$/);
  await page.getByRole("button", { name: "Show the request" }).click();
  const part = page.locator("section.copyable").filter({ has: page.getByRole("heading", { name: "SQL" }) });
  report.sql = await part.locator("pre").textContent();
  report.found = Number.parseInt(await count().textContent(), 10);
  await page.keyboard.press("Escape");
});

step("scrolls through 10,000 images", async () => {
  const other = await open({}, { hash: "#/uploads" });
  const all = 10_000;
  const record = (index) => ({ image_id: `uploads/${index}.jpg`, etag: String(index), filename: `${index}.jpg`, size: 1000, format: "JPEG", status: "ok", display_width: 1200, display_height: 800, uploaded_at: "2026-11-21T10:00:00.000Z" });
  await other.route("**/search", async (route) => {
    const asked = route.request().postDataJSON();
    const from = Number(asked.cursor || 0);
    const to = Math.min(all, from + asked.limit);
    await route.fulfill({ json: { items: Array.from({ length: to - from }, (_, index) => record(from + index)), matched: all, as_of: "2026-11-21T10:00:00Z", ...(to < all ? { next_cursor: String(to) } : {}), ...(asked.facets ? { facets: {} } : {}) } });
  });
  const png = await readFile(path.join(SAMPLES, "upload", "a.png"));
  await other.route("**/images/preview/**", (route) => route.fulfill({ contentType: "image/png", body: png }));
  await visit("#/", other);
  await other.locator(".tile").first().waitFor();
  const result = await other.evaluate(async () => {
    const frames = [];
    let most = 0;
    let last = performance.now();
    const began = last;
    for (;;) {
      window.scrollBy(0, 800); // nearly the window
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const now = performance.now();
      frames.push(now - last);
      last = now;
      most = Math.max(most, document.querySelectorAll(".tile").length);
      const end = [...document.querySelectorAll(".tile")].some((tile) => tile.getAttribute("aria-posinset") === "10000");
      if (end || now - began > 90_000) return { end, frames: frames.length, slow: frames.filter((time) => time > 50).length, worst: Math.round(Math.max(...frames)), tiles: most, seconds: Math.round((now - began) / 1000), heap: Math.round((performance.memory?.usedJSHeapSize || 0) / 1e6) };
    }
  });
  report.scroll = result;
  assert.ok(result.end, JSON.stringify(result));
  assert.ok(result.tiles < 150, `${result.tiles} tiles in the page`);
  await other.context().close();
});
