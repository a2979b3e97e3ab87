// Uploads: files by drag, picker and paste; for each its progress and a verdict.

import { Refused, Unreachable, ask, headers, pathOf, pause, refusal, urlOf } from "./api.js";
import { button, el, fill } from "./dom.js";
import { events, imageAddress, titleOf, uploaded } from "./frame.js";
import { sequence } from "./detail.js";
import { picture } from "./pictures.js";
import { bytes, number, t } from "./text.js";

/** Bytes that go through the API; larger files go to the bucket by a presigned form. */
const THROUGH_API = 4_500_000;
const AT_ONCE = 3;
/** Seconds until a file in the bucket has its record. */
const PATIENCE = 90;
/** What a browser does not know the type of, by the name's end: the form for large files asks for a type. */
const TYPES = {
  "3fr": "image/x-hasselblad-3fr", arw: "image/x-sony-arw", avci: "image/avci", avcs: "image/avcs",
  avif: "image/avif", bmp: "image/bmp", cr2: "image/x-canon-cr2", cr3: "image/x-canon-cr3", crw: "image/x-canon-crw",
  cur: "image/x-win-bitmap", dcr: "image/x-kodak-dcr", dcx: "image/x-dcx", dds: "image/vnd.ms-dds", dib: "image/bmp",
  dng: "image/x-adobe-dng", erf: "image/x-epson-erf", exr: "image/x-exr", fff: "image/x-hasselblad-fff",
  fit: "image/fits", fits: "image/fits", fts: "image/fits", gbr: "image/x-gimp-gbr", gif: "image/gif",
  gpr: "image/x-gopro-gpr", hdp: "image/jxr", hdr: "image/vnd.radiance", heic: "image/heic",
  heics: "image/heic-sequence", heif: "image/heif", heifs: "image/heif-sequence", hej2: "image/hej2k",
  hif: "image/heif", icns: "image/x-icns", ico: "image/vnd.microsoft.icon", iiq: "image/x-phaseone-iiq",
  j2c: "image/j2c", jfif: "image/jpeg", jls: "image/jls", jp2: "image/jp2", jpe: "image/jpeg", jpeg: "image/jpeg",
  jpg: "image/jpeg", jph: "image/jph", jpm: "image/jpm", jpx: "image/jpx", jxl: "image/jxl", jxr: "image/jxr",
  kdc: "image/x-kodak-kdc", mef: "image/x-mamiya-mef", mos: "image/x-leaf-mos", mpo: "image/jpeg",
  mrw: "image/x-minolta-mrw", nef: "image/x-nikon-nef", nrw: "image/x-nikon-nrw", orf: "image/x-olympus-orf",
  pam: "image/x-portable-arbitrarymap", pbm: "image/x-portable-bitmap", pcd: "image/x-photo-cd",
  pcx: "image/vnd.zbrush.pcx", pef: "image/x-pentax-pef", pfm: "image/x-portable-floatmap",
  pgm: "image/x-portable-graymap", png: "image/png", pnm: "image/x-portable-anymap", ppm: "image/x-portable-pixmap",
  psd: "image/vnd.adobe.photoshop", qoi: "image/qoi", raf: "image/x-fuji-raf", ras: "image/x-sun-raster",
  raw: "image/x-panasonic-rw", rw2: "image/x-panasonic-rw2", rwl: "image/x-leica-rwl", sgi: "image/x-sgi",
  sr2: "image/x-sony-sr2", srf: "image/x-sony-srf", srw: "image/x-samsung-srw", svg: "image/svg+xml",
  tga: "image/x-tga", tif: "image/tiff", tiff: "image/tiff", wdp: "image/jxr", webp: "image/webp", wmf: "image/wmf",
  x3f: "image/x-sigma-x3f", xbm: "image/x-xbitmap", xpm: "image/x-xpixmap",
};

/** What was added in this tab, newest first: `{file, state, share, error, record, node}`. */
const entries = [];
let running = 0;
let list = null;

export function uploads(main, params, signal) {
  const input = el("input", { type: "file", id: "files", multiple: true, class: "hidden", on: {
    change: () => {
      add(input.files);
      input.value = "";
    },
  } });
  const area = el("div", { class: "drop" }, el("p", { class: "title", text: t("drop") }), el("p", { text: t("drop.detail", { size: bytes(THROUGH_API) }) }), el("label", { class: "button primary", for: "files", text: t("choose-files") }), input);
  list = el("ul", { class: "uploads", "aria-label": t("uploads") });
  const clear = button(t("clear-done"), () => {
    for (const entry of entries.filter(isDone)) drop(entry);
  });
  fill(main, el("div", { class: "main" }, area, el("div", { class: "bar" }, summary, el("div", { class: "tools" }, clear)), list));
  for (const entry of entries) list.append(entry.node);
  sequence.records = uploaded;
  signal.addEventListener("abort", () => {
    list = null;
  });
  say();
}

const summary = el("p", { class: "count", role: "status" });
const isDone = (entry) => !["waiting", "sending", "reading"].includes(entry.state);

function say() {
  const done = entries.filter((entry) => entry.state === "done").length;
  const failed = entries.filter((entry) => entry.state === "failed").length;
  const left = entries.filter((entry) => !isDone(entry)).length;
  summary.textContent = entries.length ? t("uploads.summary", { done, failed, left }) : "";
  events.dispatchEvent(new CustomEvent("uploads", { detail: left }));
}

/** Take files up, whichever view is shown. */
export function add(files) {
  for (const file of files) {
    const entry = { file, state: "waiting", share: 0, node: el("li", { class: "upload" }) };
    entries.unshift(entry);
    list?.prepend(entry.node);
    draw(entry);
  }
  next();
}

function next() {
  while (running < AT_ONCE) {
    const entry = entries.findLast((each) => each.state === "waiting");
    if (!entry) break;
    running += 1;
    upload(entry).finally(() => {
      running -= 1;
      next();
    });
  }
  say();
}

async function upload(entry) {
  const ending = new AbortController();
  entry.cancel = () => ending.abort();
  entry.error = null;
  set(entry, "sending", 0);
  try {
    const { file } = entry;
    if (!file.size) throw new Error(t("error.empty"));
    entry.record = file.size > THROUGH_API ? await large(entry, ending.signal) : await small(entry, ending.signal);
    uploaded.unshift(entry.record);
    set(entry, entry.record.status === "ok" ? "done" : "failed");
    events.dispatchEvent(new CustomEvent("records"));
  } catch (error) {
    entry.error = error;
    set(entry, error.name === "AbortError" ? "cancelled" : "failed");
  }
}

async function small(entry, signal) {
  const { file } = entry;
  const url = urlOf("/upload", { filename: file.name });
  const type = file.type || "application/octet-stream";
  return JSON.parse(await transfer(entry, url, file, signal, headers({ "Content-Type": type })));
}

async function large(entry, signal) {
  const { file } = entry;
  // Browsers take a FITS file for an application's, and know nothing of most others.
  const type = file.type.startsWith("image/") ? file.type : TYPES[file.name.split(".").at(-1).toLowerCase()];
  if (!type) throw new Error(t("error.not-an-image"));
  const json = { content_type: type, filename: file.name, size: file.size };
  const { url, fields, image_id: id } = await ask("POST", "/uploads", { json, signal });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  await transfer(entry, url, form, signal, {});
  set(entry, "reading", 1);
  const deadline = Date.now() + PATIENCE * 1000;
  for (;;) {
    try {
      return await ask("GET", `/metadata/${pathOf(id)}`, { signal });
    } catch (error) {
      if (error.status !== 404) throw error;
      if (Date.now() > deadline) throw new Error(t("error.not-catalogued"));
    }
    await pause(1, signal);
  }
}

/** POST with progress, which fetch does not tell of; returns the answer's text. */
function transfer(entry, url, sent, signal, named) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    for (const [name, value] of Object.entries(named)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && set(entry, "sending", event.loaded / event.total));
    request.addEventListener("load", async () => {
      if (request.status < 300) return resolve(request.responseText);
      const type = request.getResponseHeader("Content-Type") || "";
      if (type.includes("json")) return reject(await refusal(new Response(request.responseText, { status: request.status })));
      return reject(new Refused(request.status, { title: t("error.refused") }, 1));
    });
    request.addEventListener("error", () => reject(new Unreachable(t("error.unreachable"))));
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(sent);
  });
}

function set(entry, state, share = entry.share) {
  const before = entry.state;
  entry.state = state;
  entry.share = share;
  // While bytes go out only the bar changes: a new row would take the focus from its buttons.
  if (before === state && entry.bar) entry.bar.value = share;
  else draw(entry);
  if (before !== state) say();
}

function drop(entry) {
  entries.splice(entries.indexOf(entry), 1);
  entry.node.remove();
  say();
}

function draw(entry) {
  const { file, state, share, record } = entry;
  entry.bar = state === "sending" ? el("progress", { max: "1", value: share, "aria-label": t("progress", { name: file.name }) }) : null;
  const [verdict, detail] = judged(entry);
  entry.node.setAttribute("data-state", state);
  fill(entry.node,
    record?.status === "ok" ? el("a", { href: imageAddress(record.image_id), "aria-label": t("open", { name: file.name }) }, picture(record, 160)) : el("span", { class: "picture none" }, el("span", { class: "word", text: file.name.split(".").at(-1).slice(0, 4).toUpperCase() })),
    el("div", { class: "told" }, el("p", { class: "name", text: file.name }), el("p", { class: "note", text: bytes(file.size) }), entry.bar, el("p", { class: "verdict", text: verdict }), detail ? el("p", { class: "note", text: detail }) : null),
    el("div", { class: "actions" },
      !isDone(entry) && button(t("cancel"), () => (state === "waiting" ? set(entry, "cancelled") : entry.cancel())),
      (state === "cancelled" || (state === "failed" && !record)) && button(t("retry"), () => {
        set(entry, "waiting", 0);
        next();
      }),
      isDone(entry) && button("×", () => drop(entry), { label: t("remove-row", { name: file.name }) })));
}

/** A verdict and its reason. */
function judged({ state, error, record }) {
  if (record && record.status !== "ok") return [t(`status.${record.status}`), record.error];
  if (state === "done") return [t("catalogued"), [record.format, record.display_width && `${number(record.display_width)} × ${number(record.display_height)}`].filter(Boolean).join(" · ")];
  if (state !== "failed") return [t(`upload.${state}`)];
  if (error.status === 415) return [t("error.not-an-image"), error.message];
  if (error.status === 422) return [t("status.corrupt"), error.message];
  return error instanceof Refused || error instanceof Unreachable ? [t(titleOf(error)), error.message] : [error.message];
}

// An upload in progress ends with the page: ask before it is closed.
window.addEventListener("beforeunload", (event) => entries.some((entry) => !isDone(entry)) && event.preventDefault());
