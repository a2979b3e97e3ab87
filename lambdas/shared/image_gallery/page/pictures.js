// Previews: few at a time, what was asked for last first, kept until there are many.

import { Refused, pathOf, send } from "./api.js";
import { el } from "./dom.js";
import { t } from "./text.js";
import { draw } from "./thumbhash.js";

const AT_ONCE = 6;
const KEPT = 500;

/** Name -> the address of a preview, or why there is none; the one used last is last. */
const kept = new Map();
const waiting = [];
let running = 0;

/** The address (blob:) of an image's preview; raises Refused where it has none. */
export async function preview(record, size, signal) {
  const name = `${size} ${record.etag} ${record.image_id}`;
  if (kept.has(name)) {
    const found = kept.get(name);
    kept.delete(name);
    kept.set(name, found);
    if (found instanceof Refused) throw found;
    return found;
  }
  await turn(signal);
  try {
    const query = { size, etag: record.etag };
    const answer = await send("GET", `/images/preview/${pathOf(record.image_id)}`, { query, signal });
    return keep(name, URL.createObjectURL(await answer.blob()));
  } catch (error) {
    // Of these the next request would say the same.
    if (error instanceof Refused && (error.status === 415 || error.status === 422)) keep(name, error);
    throw error;
  } finally {
    running -= 1;
    next();
  }
}

function keep(name, found) {
  kept.set(name, found);
  while (kept.size > KEPT) {
    const [oldest, address] = kept.entries().next().value;
    kept.delete(oldest);
    if (typeof address === "string") URL.revokeObjectURL(address);
  }
  return found;
}

function turn(signal) {
  return new Promise((resolve, reject) => {
    waiting.push({ resolve, reject, signal });
    next();
  });
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    const { resolve, reject, signal } = waiting.pop();
    if (signal?.aborted) reject(signal.reason);
    else {
      running += 1;
      resolve();
    }
  }
}

/** A picture of the record that fills in by itself: the hash's blur, then the preview, or a word why not. */
export function picture(record, size, signal) {
  const frame = el("span", { class: "picture" });
  if (record.pixels?.average_color) frame.style.setProperty("background", record.pixels.average_color);
  const blurred = record.pixels?.thumbhash && draw(record.pixels.thumbhash);
  if (blurred) frame.append(blurred);
  preview(record, size, signal).then((address) => {
    const image = el("img", { src: address, alt: "", draggable: "false" });
    image.addEventListener("load", () => blurred?.remove());
    frame.append(image);
  }, (error) => {
    if (error.name === "AbortError") return;
    frame.classList.add("none");
    const known = record.status && record.status !== "ok" ? `status.${record.status}` : "no-preview";
    frame.append(el("span", { class: "word", text: record.format || "?" }), el("span", { text: t(known) }));
  });
  return frame;
}
