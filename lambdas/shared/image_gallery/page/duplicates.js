// Images that are there more than once, side by side: the same bytes, or pictures that look the same.

import { ask, hasPath, pathOf } from "./api.js";
import { button, el, fill } from "./dom.js";
import { change, empty, events, fail, go, gone, select, selection } from "./frame.js";
import { linkTo, present } from "./grid.js";
import { sequence } from "./detail.js";
import { picture } from "./pictures.js";
import { changed } from "./question.js";
import { showRequest } from "./request.js";
import { bytes, localTime, moment, t } from "./text.js";

const GROUPS = 20;
/** Images that one question names, and how long its filter may be. */
const AT_ONCE = 100;
const MOST_FILTER = 8000;
/** Fields in which copies of a picture differ; those that all have alike are not told. */
const COMPARED = ["size", "format", "width", "height", "uploaded_at", "taken_at", "image_id"];
const FIELDS = [...COMPARED, "filename", "etag", "status", "display_width", "display_height", "pixels"].join(",");

export function duplicates(main, params, signal) {
  const by = params.get("by") === "pixels" ? "pixels" : "bytes";
  const query = { limit: GROUPS, ...(by === "pixels" ? { by } : {}) };
  const list = el("div", { class: "groups" });
  const count = el("p", { class: "count", role: "status" });
  const kinds = ["bytes", "pixels"].map((kind) => button(t(`same-${kind}`), () => go("duplicates", changed(params, { by: kind === "bytes" ? null : kind })), { "aria-pressed": String(kind === by) }));
  fill(main, el("div", { class: "main" }, el("div", { class: "bar" }, count, el("div", { class: "chips", role: "group", "aria-label": t("duplicates") }, kinds), el("div", { class: "tools" }, button(t("show-request"), () => showRequest([{ method: "GET", path: "/duplicates", query }])))), list));
  sequence.records = [];

  async function load(cursor) {
    try {
      const answer = await ask("GET", "/duplicates", { query: cursor ? { ...query, cursor } : query, signal });
      count.textContent = answer.wasted_bytes === undefined
        ? t("groups", { count: answer.matched })
        : t("groups-wasted", { count: answer.matched, size: bytes(answer.wasted_bytes) });
      const records = await recordsOf(answer.groups.flatMap((group) => group.image_ids), signal);
      list.querySelector(".more")?.remove();
      for (const group of answer.groups) list.append(shown(group, records, signal));
      if (answer.next_cursor) list.append(button(t("show-more"), () => load(answer.next_cursor), { class: "more" }));
      if (!answer.groups.length && !cursor) fill(list, empty(t("no-duplicates"), t(`no-duplicates.${by}`)));
    } catch (error) {
      fail(list, error, () => load(cursor));
    }
  }
  return load();
}

async function recordsOf(ids, signal) {
  const records = new Map();
  const batches = [];
  let room = 0;
  for (const text of ids.map((id) => `'${id.replaceAll("'", "''")}', `)) {
    if (text.length > room || batches.at(-1).length === AT_ONCE) {
      batches.push([]);
      room = MOST_FILTER;
    }
    batches.at(-1).push(text);
    room -= text.length;
  }
  for (const batch of batches) {
    const { items } = await ask("POST", "/search", { json: { filter: `image_id IN (${batch.join("").slice(0, -2)})`, limit: AT_ONCE, fields: FIELDS }, signal });
    items.forEach((record) => records.set(record.image_id, record));
  }
  return records;
}

function shown(group, known, signal) {
  const records = group.image_ids.map((id) => known.get(id)).filter(Boolean);
  sequence.records.push(...records);
  const differing = COMPARED.filter((name) => new Set(records.map((record) => record[name])).size > 1);
  const cards = el("div", { class: "cards" });
  const others = button(t("select-others"), () => present(records).slice(1).forEach((record) => select(record, true)));
  const node = el("article", { class: "group" }, el("div", { class: "heading" }, el("h2", { text: t("copies", { count: group.count ?? records.length }) }), others), cards);
  const draw = () => {
    const left = present(records);
    fill(cards, left.map((record) => card(record, differing, signal)));
    node.hidden = left.length < 2;
  };
  events.addEventListener("records", draw, { signal });
  draw();
  return node;
}

/** A picture in a link that has a name of its own. */
function hushed(node) {
  node.setAttribute("aria-hidden", "true");
  return node;
}

/** An image beside others: its picture, what distinguishes it, and a box to select it. */
export function card(record, fields, signal, more = null) {
  const box = el("input", { type: "checkbox", checked: selection.has(record.image_id), "aria-label": t("select", { name: record.filename || record.image_id }), on: { change: () => select(record, box.checked) } });
  events.addEventListener("selection", () => {
    box.checked = selection.has(record.image_id);
  }, { signal });
  const told = fields.filter((name) => record[name] !== undefined).map((name) => el("li", { text: worded(name, record[name]) }));
  return el("article", { class: "card" }, linkTo(record, hushed(picture(record, 320, signal))), el("label", { class: "entry" }, box, el("span", { class: "value", text: record.filename || record.image_id })), more, el("ul", {}, told));
}

function worded(name, value) {
  if (name === "size") return bytes(value);
  if (name === "uploaded_at") return t("uploaded", { time: moment(value) });
  if (name === "taken_at") return t("taken", { time: localTime(value) });
  return name === "width" || name === "height" ? `${t(name)} ${value}` : String(value);
}

/** Images that look like one, the nearest first. */
export function similar(main, params, signal) {
  const of = params.get("of") || "";
  const request = () => ({ method: "GET", path: `/images/similar/${pathOf(of)}`, query: { limit: 50 } });
  const list = el("div", { class: "cards" });
  const count = el("p", { class: "count", role: "status" });
  fill(main, el("div", { class: "main" }, el("div", { class: "bar" }, count, el("div", { class: "tools" }, hasPath(of) && button(t("show-request"), () => showRequest([request()])))), list));
  const load = async () => {
    try {
      const { path, query } = request();
      const { items } = await ask("GET", path, { query, signal });
      const found = items.filter(({ record }) => !gone.has(record.image_id));
      sequence.records = found.map(({ record }) => record);
      count.textContent = t("similar-to", { count: found.length, name: of });
      fill(list, found.length
        ? found.map(({ record, distance }) => card(record, ["format", "size"], signal, el("p", { class: "note", text: t("distance", { count: distance }) })))
        : empty(t("no-similar"), t("no-similar.detail"), button(t("back"), () => change({ of: null, image: of }))));
    } catch (error) {
      fail(list, error, load);
    }
  };
  return load();
}
