// The images as tiles: only those in sight are in the page, however many there are.

import { el } from "./dom.js";
import { events, gone, imageAddress, select, selection, selectNone } from "./frame.js";
import { picture } from "./pictures.js";
import { localTime, moment, number, t } from "./text.js";

const GAP = 8;
const CAPTION = 40;
const NARROW = 480;
/** Rows that are kept above and below what is in sight. */
const SPARE = 2;

/**
 * A grid of records that grows. `more()` is called when the end comes near; `open(record)`, `remove(records)` are what
 * Enter and Delete do. Returns `{node, show(records, total)}`.
 */
export function grid({ more, open, remove, time, signal }) {
  const node = el("div", { class: "grid", role: "listbox", "aria-multiselectable": "true", "aria-label": t("images"), tabindex: "0" });
  const shown = new Map();
  let records = [];
  let total = 0;
  let active = 0;
  let anchor = 0;
  let columns = 1;
  let side = 160;
  let frame = 0;

  function measure() {
    const width = node.clientWidth;
    const least = width < NARROW ? 104 : 168;
    columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
    side = Math.floor((width - GAP * (columns - 1)) / columns);
    node.style.height = `${Math.ceil(records.length / columns) * (side + CAPTION + GAP)}px`;
  }

  function draw() {
    frame = 0;
    if (!node.isConnected) return;
    const row = side + CAPTION + GAP;
    const top = -node.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / row) - SPARE) * columns;
    const last = Math.min(records.length, (Math.ceil((top + window.innerHeight) / row) + SPARE) * columns);
    for (const [index, tile] of shown) {
      if (index < first || index >= last) {
        tile.ending.abort();
        tile.node.remove();
        shown.delete(index);
      }
    }
    for (let index = first; index < last; index += 1) {
      let tile = shown.get(index);
      if (!tile) {
        tile = makeTile(index);
        shown.set(index, tile);
        node.append(tile.node);
      }
      tile.node.style.transform = `translate(${(index % columns) * (side + GAP)}px, ${Math.floor(index / columns) * row}px)`;
      tile.node.style.width = `${side}px`;
      tile.node.style.height = `${side + CAPTION}px`;
    }
    mark();
    if (last + columns * SPARE * 2 >= records.length) more();
  }

  const later = () => {
    frame ||= requestAnimationFrame(draw);
  };

  function makeTile(index) {
    const record = records[index];
    const ending = new AbortController();
    const name = record.filename || record.image_id;
    const when = record[time] && (time === "taken_at" ? localTime(record[time]) : moment(record[time]));
    const size = record.display_width ? `${number(record.display_width)} × ${number(record.display_height)}` : "";
    const tile = el("div", {
      class: "tile", role: "option", id: `tile-${index}`, "aria-posinset": index + 1, "aria-setsize": total, title: [name, when].filter(Boolean).join("\n"),
    }, picture(record, 320, ending.signal), el("span", { class: "tick" }), el("span", { class: "caption" }, el("span", { class: "name", text: name }), el("span", { class: "note", text: [record.format, size].filter(Boolean).join(" · ") }), when && el("span", { class: "hidden", text: when })));
    if (record.animated) tile.append(el("span", { class: "badge", text: t("animated") }));
    return { node: tile, ending };
  }

  function mark() {
    for (const [index, tile] of shown) {
      const chosen = selection.has(records[index]?.image_id);
      tile.node.setAttribute("aria-selected", String(chosen));
      tile.node.classList.toggle("active", index === active);
    }
    if (shown.has(active)) node.setAttribute("aria-activedescendant", `tile-${active}`);
    else node.removeAttribute("aria-activedescendant");
    node.classList.toggle("selecting", selection.size > 0);
  }

  function move(to, extend) {
    if (!records.length) return;
    active = Math.max(0, Math.min(records.length - 1, to));
    if (extend) range();
    else anchor = active;
    const row = side + CAPTION + GAP;
    const place = node.getBoundingClientRect().top + Math.floor(active / columns) * row;
    const above = document.querySelector("header")?.getBoundingClientRect().bottom || 0;
    if (place < above) window.scrollBy(0, place - above - GAP);
    else if (place + row > window.innerHeight) window.scrollBy(0, place + row - window.innerHeight);
    draw();
  }

  function range() {
    for (let index = Math.min(anchor, active); index <= Math.max(anchor, active); index += 1) select(records[index], true);
  }

  node.addEventListener("click", (event) => {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    active = Number(tile.id.slice(5));
    if (event.shiftKey) range();
    else if (event.target.classList.contains("tick") || event.ctrlKey || event.metaKey || selection.size) {
      anchor = active;
      select(records[active], !selection.has(records[active].image_id));
    } else {
      anchor = active;
      open(records[active]);
    }
    mark();
  });

  node.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const page = Math.max(1, Math.floor(window.innerHeight / (side + CAPTION + GAP))) * columns;
    if (event.key in steps) move(active + steps[event.key], event.shiftKey);
    else if (event.key === "PageDown" || event.key === "PageUp") move(active + (event.key === "PageDown" ? page : -page), event.shiftKey);
    else if (event.key === "Home") move(0, event.shiftKey);
    else if (event.key === "End") move(records.length - 1, event.shiftKey);
    else if (event.key === "Enter" && records[active]) open(records[active]);
    else if (event.key === " " && records[active]) select(records[active], !selection.has(records[active].image_id));
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) records.forEach((record) => select(record, true));
    else if (event.key === "Escape" && selection.size) selectNone();
    else if (event.key === "Delete" && (selection.size || records[active])) remove(selection.size ? [...selection.values()] : [records[active]]);
    else return;
    event.preventDefault();
  });

  window.addEventListener("scroll", later, { passive: true, signal });
  const resized = new ResizeObserver(() => {
    measure();
    later();
  });
  resized.observe(node);
  signal.addEventListener("abort", () => resized.disconnect());
  events.addEventListener("selection", mark, { signal });

  return {
    node,
    /** Show these, as many of `all` as are known. */
    show(found, all) {
      const same = found.length >= records.length && records.every((record, index) => record === found[index]);
      records = found;
      total = all;
      if (!same) {
        shown.forEach((tile) => {
          tile.ending.abort();
          tile.node.remove();
        });
        shown.clear();
        active = Math.min(active, Math.max(0, records.length - 1));
      }
      measure();
      draw();
    },
  };
}

/** What a grid shows of these records: without what was deleted here. */
export const present = (records) => records.filter((record) => !gone.has(record.image_id));

/** A link to an image's details. */
export const linkTo = (record, ...children) => el("a", { href: imageAddress(record.image_id) }, children, el("span", { class: "hidden", text: t("open", { name: record.filename || record.image_id }) }));
