// Facets: how many of the found images have which value, each a filter.

import { el, fill } from "./dom.js";
import { change } from "./frame.js";
import { named } from "./images.js";
import { FACETS } from "./question.js";
import { bytes, number, t } from "./text.js";

/** Values of a facet that are shown at first. */
const FEW = 6;

export function rail(node, facets, params) {
  fill(node, FACETS.map(({ name, kind }) => group(name, kind, facets[name], params)).filter(Boolean), query(params));
}

function group(name, kind, facet, params) {
  const chosen = params.getAll(name);
  const values = (facet?.values || []).map((entry, index, all) => (kind === "range"
    ? { value: `${entry.from}..${entry.to}${index === all.length - 1 ? ".." : ""}`, text: range(name, entry), count: entry.count }
    : { value: String(entry.value), text: worded(name, entry.value), count: entry.count }));
  // Without a file's camera, "not stated" says something; that hardly any image has keywords does not.
  if (facet?.missing && values.length && name.startsWith("camera.")) values.push({ value: "", text: t("not-stated"), count: facet.missing });
  for (const value of chosen) if (!values.some((each) => each.value === value)) values.unshift({ value, text: value.replace(/\.\.$/, ""), count: 0 });
  if (!values.length || (values.length === 1 && kind === "range" && !chosen.length)) return null;
  const entries = values.map((each) => entry(name, each, chosen));
  const rest = entries.slice(FEW);
  return el("fieldset", {}, el("legend", { text: named(name) }), entries.slice(0, FEW), rest.length
    ? el("details", { open: chosen.some((value) => values.findIndex((each) => each.value === value) >= FEW) }, el("summary", { text: t("more", { count: rest.length }) }), rest)
    : null);
}

function entry(name, { value, text, count }, chosen) {
  const box = el("input", {
    type: "checkbox", checked: chosen.includes(value),
    on: {
      change: () => {
        const values = box.checked ? [...chosen, value] : chosen.filter((each) => each !== value);
        change({ [name]: values.length ? values : null });
      },
    },
  });
  return el("label", { class: "entry" }, box, el("span", { class: "value", text }), el("span", { class: "number", text: number(count) }));
}

function worded(name, value) {
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (name === "status") return t(`status.${value}`);
  return name === "rating" ? "★".repeat(Math.max(0, Math.min(5, value))) || String(value) : String(value);
}

function range(name, { from, to }) {
  const format = name === "size" ? bytes : number;
  return from === to ? format(from) : `${format(from)} – ${format(to)}`;
}

/** A filter in one's own words, for whoever knows the language. */
function query(params) {
  const box = el("textarea", { id: "where", rows: "2", spellcheck: "false", placeholder: "exposure.iso >= 1600 AND height > width" });
  box.value = params.get("where") || "";
  const form = el("form", { class: "where", on: {
    submit: (event) => {
      event.preventDefault();
      change({ where: box.value.trim() || null });
    },
  } }, el("label", { for: "where", text: t("where") }), box, el("button", { text: t("apply") }));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  return form;
}
