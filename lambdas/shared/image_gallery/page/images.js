// The images that the address asks for: chips, timeline, rail, grid.

import { Refused, ask } from "./api.js";
import { button, el, fill } from "./dom.js";
import { change, empty, events, fail, go, uploaded } from "./frame.js";
import { grid, present } from "./grid.js";
import { openImage, sequence } from "./detail.js";
import { remove } from "./deletion.js";
import { FACETS, SORTS, body, filters, sortOf, sql, timeOf } from "./question.js";
import { rail } from "./rail.js";
import { showRequest } from "./request.js";
import { localTime, moment, t } from "./text.js";
import { timeline } from "./timeline.js";

const PAGE = 200;
/** What a tile shows, and what deleting it and stepping from it to the next need. */
const FIELDS = "filename,etag,size,format,status,width,height,display_width,display_height,animated,taken_at,uploaded_at,content_type,pixels";

/** Whether this deployment answers questions; without, the list of the table stands in. */
let searches = true;

export function images(main, params, signal) {
  const time = timeOf(params);
  const count = el("p", { class: "count", role: "status" });
  const times = el("section", { class: "timeline", "aria-label": t("timeline") });
  const side = el("div", { class: "facets" });
  const filtersOpen = el("details", { class: "rail" }, el("summary", { text: t("filters") }), side);
  // Wide windows show the rail always; what is closed would not be drawn there.
  const wide = window.matchMedia("(min-width: 900px)");
  const unfold = () => {
    filtersOpen.open = wide.matches;
  };
  wide.addEventListener("change", unfold, { signal });
  unfold();
  const place = el("div", { class: "results" });
  const request = { method: "POST", path: "/search", json: { ...body(params), limit: PAGE }, sql: sql(params) };

  let found = [];
  let matched = 0;
  let cursor = null;
  let asking = false;
  const tiles = grid({
    time, signal, open: openImage, remove, more: () => cursor && !asking && load(),
  });

  fill(main, filtersOpen, el("div", { class: "main" }, bar(params, count, request), times, place));

  function show() {
    const known = new Set(found.map((record) => record.image_id));
    const fresh = filters(params).length || sortOf(params) !== SORTS[0] ? [] : uploaded.filter((record) => !known.has(record.image_id));
    const records = present([...fresh, ...found]);
    const total = Math.max(matched + fresh.length - (fresh.length + found.length - records.length), records.length);
    sequence.records = records;
    events.dispatchEvent(new CustomEvent("sequence"));
    count.textContent = t("count", { count: total });
    if (!records.length && !cursor) fill(place, filters(params).length
      ? empty(t("nothing-found"), t("nothing-found.detail"), button(t("clear-filters"), () => go("images", new URLSearchParams())))
      : empty(t("no-images"), t("no-images.detail"), button(t("upload"), () => go("uploads", new URLSearchParams()))));
    else {
      if (!tiles.node.isConnected) fill(place, tiles.node);
      tiles.show(records, total);
    }
  }

  async function load() {
    asking = true;
    place.setAttribute("aria-busy", "true");
    try {
      const first = cursor === null;
      const answer = await page(params, cursor, time, first, signal);
      found = found.concat(answer.items);
      matched = answer.matched ?? Math.max(matched, found.length);
      cursor = answer.next_cursor ?? null;
      if (first) {
        rail(side, answer.facets || {}, params);
        filtersOpen.hidden = !answer.facets;
        count.title = answer.as_of ? t("as-of", { time: moment(answer.as_of) }) : "";
        timeline(times, answer.facets?.[`${time}:month`], params, time, signal);
      }
      asking = false;
      show();
    } catch (error) {
      asking = false;
      if (!found.length) fail(place, error, load);
      else if (error.name !== "AbortError") place.append(el("p", { class: "bad", text: error.message }), button(t("try-again"), load));
    } finally {
      place.removeAttribute("aria-busy");
    }
  }

  events.addEventListener("records", show, { signal });
  return load();
}

async function page(params, cursor, time, first, signal) {
  if (searches) {
    const json = { ...body(params), limit: PAGE, fields: FIELDS };
    if (cursor) json.cursor = cursor;
    if (first) json.facets = [...FACETS.map(({ name }) => name), `${time}:month`].join(",");
    try {
      return await ask("POST", "/search", { json, signal });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      searches = false;
    }
  }
  const query = { limit: 100 };
  if (cursor) query.cursor = cursor;
  return ask("GET", "/metadata", { query, signal });
}

function bar(params, count, request) {
  const sort = el("select", { id: "sort", on: { change: () => change({ sort: sort.value === SORTS[0] ? null : sort.value }) } }, SORTS.map((name) => el("option", { value: name, text: t(`sort.${name}`), selected: name === sortOf(params) })));
  const chips = filters(params).map(([name, value]) => button(`${named(name)} ${valued(name, value)} ×`, () => {
    const left = params.getAll(name).filter((each) => each !== value);
    change({ [name]: left.length ? left : null });
  }, { class: "chip", label: t("remove-filter", { name: named(name), value: valued(name, value) }) }));
  return el("div", { class: "bar" }, count, el("div", { class: "chips" }, chips), el("div", { class: "tools" },
    el("label", { for: "sort", text: t("sort") }), sort,
    button(t("show-request"), () => showRequest([request]))));
}

/** A field's name as people say it. */
export const named = (name) => (t(`field.${name}`) === `field.${name}` ? name : t(`field.${name}`));

function valued(name, value) {
  if (value === "") return t("not-stated");
  if (name === "taken_at" || name === "uploaded_at") return value.split("..").map(localTime).join(" – ");
  if (name === "bbox") return t("box");
  return value;
}
