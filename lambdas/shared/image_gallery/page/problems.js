// The catalogue's report: what may deserve a look, each with its images.

import { ask } from "./api.js";
import { button, el, fill } from "./dom.js";
import { empty, fail } from "./frame.js";
import { present } from "./grid.js";
import { card } from "./duplicates.js";
import { sequence } from "./detail.js";
import { address } from "./question.js";
import { showRequest } from "./request.js";
import { moment, t } from "./text.js";

export function problems(main, params, signal) {
  const list = el("div", { class: "groups" });
  const count = el("p", { class: "count", role: "status" });
  fill(main, el("div", { class: "main" }, el("div", { class: "bar" }, count, el("div", { class: "tools" }, button(t("show-request"), () => showRequest([{ method: "GET", path: "/report" }])))), list));
  sequence.records = [];
  const load = async () => {
    try {
      const report = await ask("GET", "/report", { signal });
      count.textContent = t("report-of", { count: report.images, time: moment(report.as_of) });
      const found = report.problems.filter((problem) => problem.count);
      fill(list, found.length ? found.map((problem) => section(problem, signal)) : empty(t("no-problems")));
    } catch (error) {
      fail(list, error, load);
    }
  };
  return load();
}

function section(problem, signal) {
  const records = present(problem.examples);
  sequence.records.push(...records);
  const all = problem.filter && el("a", { class: "button", href: address("images", new URLSearchParams({ where: problem.filter })), text: t("show-all") });
  return el("article", { class: "group" }, el("div", { class: "heading" }, el("h2", { text: t(`problem.${problem.name}`, { count: problem.count }) }), all || (problem.name === "duplicates" && el("a", { class: "button", href: address("duplicates", new URLSearchParams()), text: t("show-all") }))), el("div", { class: "cards" }, records.map((record) => card(record, ["format", "error"], signal))));
}
