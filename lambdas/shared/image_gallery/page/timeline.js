// Images per month, or per year where there are many months; a bar is a filter.

import { ask } from "./api.js";
import { button, el, fill } from "./dom.js";
import { change } from "./frame.js";
import { body, TIMES } from "./question.js";
import { localTime, t } from "./text.js";

const MOST_BARS = 72;

export async function timeline(node, facet, params, time, signal) {
  const chosen = params.get(time);
  if (chosen) {
    // The months beside the chosen ones stay in sight.
    const json = { ...body(params, time), limit: 1, fields: "size", facets: `${time}:month` };
    facet = await ask("POST", "/search", { json, signal }).then((answer) => answer.facets[`${time}:month`], () => facet);
  }
  let counts = (facet?.values || []).map(({ value, count }) => [value, count]);
  if (counts.length > MOST_BARS) {
    const years = new Map();
    counts.forEach(([value, count]) => years.set(value.slice(0, 4), (years.get(value.slice(0, 4)) || 0) + count));
    counts = [...years];
  }
  node.hidden = !facet;
  const [from, to] = chosen ? [chosen.split("..")[0], chosen.split("..").at(-1)] : [];
  const most = Math.max(...counts.map(([, count]) => count));
  const bars = counts.map(([value, count], index) => {
    const on = Boolean(chosen) && value >= from.slice(0, value.length) && value.slice(0, to.length) <= to;
    const bar = button("", (event) => pick(event, value, chosen, time), {
      class: "bar-of-month", label: t("in-month", { month: localTime(value), count }), "aria-pressed": String(on),
    });
    bar.append(el("span", { class: "column", style: { height: `${Math.max(6, (100 * count) / most)}%` } }));
    const year = value.slice(0, 4);
    if (index === 0 || counts[index - 1][0].slice(0, 4) !== year) bar.append(el("span", { class: "year", "aria-hidden": "true", text: year }));
    return bar;
  });
  const kinds = TIMES.map((name) => button(t(`field.${name}`), () => change({ time: name === TIMES[0] ? null : name }), { "aria-pressed": String(name === time) }));
  fill(node, el("div", { class: "kinds tools", role: "group", "aria-label": t("timeline") }, kinds), bars.length ? el("div", { class: "bars" }, bars) : el("p", { class: "note", text: t("no-times") }));
}

/** A bar is that month; with the shift key, everything from the one chosen before; the chosen one again is all. */
function pick(event, value, chosen, time) {
  if (chosen === value) return change({ [time]: null });
  if (!event.shiftKey || !chosen) return change({ [time]: value });
  const ends = [...chosen.split("..").filter(Boolean), value].sort();
  return change({ [time]: `${ends[0]}..${ends.at(-1)}` });
}
