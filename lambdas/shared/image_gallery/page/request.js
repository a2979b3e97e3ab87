// What the page asked, for a terminal or a program.

import { curl } from "./api.js";
import { button, dialog, el } from "./dom.js";
import { notice } from "./frame.js";
import { t } from "./text.js";

/** Show requests `{method, path, query, json, sql}`. */
export function showRequest(requests) {
  const parts = requests.flatMap((request) => {
    const shown = [copyable("curl", curl(request))];
    if (request.json) shown.push(copyable("JSON", JSON.stringify(request.json, null, 2)));
    if (request.sql) shown.push(copyable("SQL", request.sql));
    return shown;
  });
  const node = dialog(t("show-request"), "request", el("p", { text: t("request.key") }), parts);
  node.append(el("div", { class: "actions" }, button(t("close"), () => node.close())));
}

/** A text under a heading, with a button that copies it. */
export function copyable(title, text) {
  const copy = button(t("copy"), async () => {
    try {
      await navigator.clipboard.writeText(text);
      notice(t("copied"), { seconds: 2 });
    } catch {
      getSelection().selectAllChildren(code);
    }
  });
  const code = el("pre", { tabindex: "0", "aria-label": title, text });
  return el("section", { class: "copyable" }, el("div", { class: "heading" }, el("h3", { text: title }), copy), code);
}
