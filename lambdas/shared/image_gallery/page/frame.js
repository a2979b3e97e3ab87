// What every view uses of the page around it: where it is, what is selected, what is said.

import { button, el, fill } from "./dom.js";
import { address, changed, read } from "./question.js";
import { t } from "./text.js";

/** Changed: `selection`; `records` when images came or went; `sequence`: what the view shows. */
export const events = new EventTarget();
/** The ids of the selected images -> their records. */
export const selection = new Map();
/** Records that this page uploaded, newest first: search knows of them only after a while. */
export const uploaded = [];
/** Ids that this page deleted, or will when no one undoes it. */
export const gone = new Set();

const notices = el("div", { class: "notices", role: "status", "aria-live": "polite" });

export const noticeArea = () => notices;

/** Go to another address; `replace` leaves no way back to this one. */
export function go(view, params, replace = false) {
  const target = address(view, params);
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Change parameters of the address that is shown. */
export function change(changes, replace = false) {
  const { view, params } = read();
  go(view, changed(params, changes), replace);
}

/** The address of an image's details over what is shown. */
export function imageAddress(imageId) {
  const { view, params } = read();
  return address(view, changed(params, { image: imageId }));
}

export function select(record, on) {
  if (on) selection.set(record.image_id, record);
  else selection.delete(record.image_id);
  events.dispatchEvent(new CustomEvent("selection"));
}

export function selectNone() {
  selection.clear();
  events.dispatchEvent(new CustomEvent("selection"));
}

/** Say something for some seconds; returns what takes it away. `actions` are buttons beside it. */
export function notice(text, { seconds = 6, actions = [], bad = false } = {}) {
  const close = () => node.remove();
  const node = el("div", { class: bad ? "notice bad" : "notice" }, el("p", { text }), actions.map(([label, action]) => button(label, () => {
    close();
    action();
  })), button("×", close, { label: t("close") }));
  notices.append(node);
  if (seconds) setTimeout(close, seconds * 1000);
  return close;
}

/** What stands in a view's place when there is nothing to show. */
export function empty(title, detail, ...more) {
  return el("div", { class: "empty" }, el("p", { class: "title", text: title }), detail ? el("p", { text: detail }) : null, more);
}

/** An error in a view's place, with a way to try again. */
export function failure(error, again) {
  return empty(t(titleOf(error)), error.message, again ? button(t("try-again"), again) : null);
}

/** Put a failure where `node`'s content was; an aborted request is none. */
export function fail(node, error, again) {
  if (error.name !== "AbortError") fill(node, failure(error, again));
}

/** The message that names an error. */
export function titleOf(error) {
  if (error.status === undefined) return navigator.onLine ? "error.unreachable" : "error.offline";
  if (error.type === "quota-exceeded") return "error.quota";
  if (error.status === 429) return "error.throttled";
  if (error.status === 401 || error.status === 403) return "error.key";
  if (error.status === 404) return "error.not-found";
  return error.status >= 500 ? "error.server" : "error.refused";
}
