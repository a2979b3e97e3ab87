// One image: its picture, every field of its record, and what stands beside it.

import { ask, hasPath, pathOf, Refused, send } from "./api.js";
import { button, dialog, el, fill } from "./dom.js";
import { change, events, fail, imageAddress, notice, uploaded } from "./frame.js";
import { remove } from "./deletion.js";
import { named } from "./images.js";
import { preview } from "./pictures.js";
import { address, isFiltered, read } from "./question.js";
import { copyable, showRequest } from "./request.js";
import { bytes, localTime, moment, t } from "./text.js";

const SECONDS_MOST_LISTED = 0.3;

/** The images among which an open one has neighbours: those of the view. */
export const sequence = { records: [] };

let shown = null;

/** Open an image: its address does. */
export const openImage = (record) => change({ image: record.image_id });

/** Show the image that the address names, or none. */
export function detail(imageId) {
  if (shown?.imageId === imageId) return;
  shown?.close();
  if (!imageId) return;
  const ending = new AbortController();
  const name = known(imageId)?.filename || imageId;
  const figure = el("figure", { class: "large" });
  const facts = el("div", { class: "facts" });
  const stepping = el("span", { class: "actions" });
  const step = () => fill(stepping, steps(imageId));
  step();
  events.addEventListener("sequence", step, { signal: ending.signal });
  const node = dialog(name, "detail", el("div", { class: "actions top" }, stepping, button("×", () => node.close(), { label: t("close"), class: "close" })), el("div", { class: "sides" }, figure, facts));
  const leave = () => {
    ending.abort();
    shown = null;
  };
  shown = { imageId, close: () => {
    node.removeEventListener("close", closed);
    leave();
    node.close();
  } };
  const closed = () => {
    leave();
    change({ image: null });
  };
  node.addEventListener("close", closed);
  node.addEventListener("keydown", (event) => {
    if (event.target.closest("pre, input, textarea")) return;
    const link = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    if (link) node.querySelector(`[data-step=${link}]`)?.click();
    else if (event.key === "Delete") drop(known(imageId) || { image_id: imageId });
  });
  const load = async () => {
    try {
      const [{ record, error }] = (await ask("POST", "/metadata", { json: { image_ids: [imageId] }, signal: ending.signal })).results;
      if (error) throw new Refused(error.status, error, 1);
      node.querySelector("h2").textContent = record.filename || record.image_id;
      fill(facts, actions(record, drop), table(record), raw(record));
      await large(figure, record, ending.signal);
    } catch (error) {
      fail(facts, error, load);
    }
  };
  const drop = (record) => {
    node.close();
    remove([record]);
  };
  load();
}

function known(imageId) {
  return [...sequence.records, ...uploaded].find((record) => record.image_id === imageId);
}

function steps(imageId) {
  const at = sequence.records.findIndex((record) => record.image_id === imageId);
  const link = (step, text, record) => record && el("a", {
    class: "button", "data-step": step, href: imageAddress(record.image_id), text, "aria-label": t(step), title: t(step),
    on: {
      click: (event) => {  // stepping leaves one entry in the history, not one per image
        event.preventDefault();
        change({ image: record.image_id }, true);
      },
    },
  });
  return [link("previous", "←", at > 0 && sequence.records[at - 1]), at >= 0 && link("next", "→", sequence.records[at + 1])];
}

async function large(figure, record, signal) {
  try {
    const small = await preview(record, 320, signal);
    const image = el("img", { src: small, alt: record.title || record.filename || record.image_id });
    if (record.display_width) {
      image.width = record.display_width;
      image.height = record.display_height;
    }
    fill(figure, image);
    image.src = await preview(record, 1280, signal);
  } catch (error) {
    if (error.name !== "AbortError") fill(figure, el("p", { class: "word", text: record.format || "?" }), el("p", { text: error.message }));
  }
}

function actions(record, drop) {
  const requests = hasPath(record.image_id)
    ? [{ method: "GET", path: `/metadata/${pathOf(record.image_id)}` }, { method: "GET", path: `/images/preview/${pathOf(record.image_id)}`, query: { size: 1280 } }]
    : [{ method: "POST", path: "/metadata", json: { image_ids: [record.image_id] } }];
  const { gps } = record;
  const near = gps && around(gps.longitude, gps.latitude).map((degree) => degree.toFixed(3)).join(",");
  return el("div", { class: "actions" },
    button(t("download"), () => download(record)),
    gps && el("a", { class: "button", href: address("map", new URLSearchParams({ bbox: near })), text: t("on-map") }),
    record.pixels?.phash && hasPath(record.image_id) && el("a", { class: "button", href: address("similar", new URLSearchParams({ of: record.image_id })), text: t("similar") }),
    button(t("show-request"), () => showRequest(requests)),
    button(t("delete"), () => drop(record), { class: "danger" }));
}

/** A box of two degrees around a place: west, south, east, north, within the world. */
const around = (longitude, latitude) => [Math.max(longitude - 1, -180), Math.max(latitude - 1, -90), Math.min(longitude + 1, 180), Math.min(latitude + 1, 90)];

/** The file itself. Large ones come from S3, to where the API sends the browser on. */
async function download(record) {
  const close = notice(t("downloading"), { seconds: 0 });
  try {
    const answer = await send("POST", "/images/file", { query: { download: true }, json: { image_id: record.image_id } });
    // Bytes without a type: whatever the file is, the browser only saves it.
    const file = new Blob([await answer.arrayBuffer()], { type: "application/octet-stream" });
    const link = el("a", { href: URL.createObjectURL(file), download: record.filename || "image" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    notice(error.message, { bad: true });
  } finally {
    close();
  }
}

function table(record) {
  const rows = flat(record).map(([name, value]) => {
    const text = worded(name, value);
    const field = el("th", { scope: "row" }, el("span", { text: named(name) }), named(name) === name ? null : el("code", { text: name }));
    const cell = isFiltered(name) && !Array.isArray(value)
      ? el("a", { href: address("images", new URLSearchParams({ [name]: String(value) })), title: t("find-same"), text })
      : text;
    return el("tr", {}, field, el("td", {}, Array.isArray(value) && name === "keywords"
      ? value.map((word) => el("a", { class: "chip", href: address("images", new URLSearchParams({ keywords: word })), text: word }))
      : cell));
  });
  return el("table", { class: "fields" }, el("caption", { class: "hidden", text: t("fields") }), el("tbody", {}, rows));
}

/** A record's fields by their full names: `camera.make`. */
function flat(record, before = "") {
  return Object.entries(record).flatMap(([name, value]) => (value !== null && typeof value === "object" && !Array.isArray(value)
    ? flat(value, `${before}${name}.`)
    : [[before + name, value]]));
}

function worded(name, value) {
  if (name === "size") return `${bytes(value)} (${value})`;
  if (name === "uploaded_at") return `${moment(value)} (${value})`;
  if (name === "taken_at") return localTime(value);
  if (name === "exposure.time_s") return value > 0 && value < SECONDS_MOST_LISTED ? `1/${Math.round(1 / value)} s` : `${value} s`;
  if (name === "exposure.f_number") return `f/${value}`;
  if (name.startsWith("exposure.focal")) return `${value} mm`;
  if (name === "status") return t(`status.${value}`);
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function raw(record) {
  return el("details", { class: "raw" }, el("summary", { text: t("raw") }), copyable("JSON", JSON.stringify(record, null, 2)));
}

/** Close what is open when the address no longer names it. */
export const closeDetail = () => read().params.get("image") || detail(null);
