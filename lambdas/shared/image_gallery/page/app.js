// The page: what is around the views, and which view the address asks for.

import { Refused, ask, hasKey, setKey, told } from "./api.js";
import { button, dialog, el, fill } from "./dom.js";
import { closeDetail, detail } from "./detail.js";
import { duplicates, similar } from "./duplicates.js";
import { events, fail, go, notice, noticeArea, selection, selectNone, titleOf } from "./frame.js";
import { images } from "./images.js";
import { map } from "./map.js";
import { problems } from "./problems.js";
import { VIEWS, address, changed, read } from "./question.js";
import { remove } from "./deletion.js";
import { language, languages, setLanguage, t } from "./text.js";
import { add, uploads } from "./uploads.js";

const SHOW = { images, map, duplicates, problems, uploads, similar };
/** Views that have no tab: they are about one image. */
const OF_ONE = new Set(["similar"]);
/** Views that the filters of the address count for. */
const FILTERED = new Set(["images", "map"]);

const main = el("main", { id: "main", tabindex: "-1" });
const tabs = el("nav", { "aria-label": t("views") });
const search = el("input", { type: "search", id: "q", placeholder: t("search-words"), "aria-label": t("search-words"), enterkeyhint: "search" });
const pending = el("span", { class: "pending" });
const selected = el("div", { class: "selected", role: "region", "aria-label": t("selection"), hidden: true });
let ending = new AbortController();
let shown = null;
let keyDialog = null;

document.documentElement.lang = language;
document.title = t("title");
fill(document.body,
  el("a", { class: "skip", href: "#main", text: t("skip"), on: { click: (event) => {
    event.preventDefault();
    main.focus();
  } } }),
  el("header", {}, el("h1", {}, el("a", { href: address("images", new URLSearchParams()), text: t("title") })),
    el("form", { role: "search", on: { submit: (event) => {
      event.preventDefault();
      const { view, params } = read();
      go(FILTERED.has(view) ? view : "images", changed(FILTERED.has(view) ? params : new URLSearchParams(), { q: search.value.trim() || null, image: null }));
    } } }, search),
    tabs,
    el("div", { class: "tools" }, pending,
      el("select", { "aria-label": t("language-label"), on: { change: (event) => setLanguage(event.target.value) } }, languages.map(([tag, name]) => el("option", { value: tag, text: name, selected: tag === language, lang: tag }))),
      button(t("key"), () => askForKey(), { class: "key" }))),
  main, selected, noticeArea());

function show() {
  const { view, params } = read();
  // The image that is open is beside the view, and does not change it.
  const now = address(view, changed(params, { image: null }));
  if (now !== shown) {
    shown = now;
    ending.abort();
    ending = new AbortController();
    selectNone();
    document.querySelectorAll("dialog.request").forEach((each) => each.close());
    search.value = params.get("q") || "";
    const kept = new URLSearchParams([...changed(params, { image: null, of: null, by: null })]);
    fill(tabs, VIEWS.filter((name) => !OF_ONE.has(name)).map((name) => el("a", { href: address(name, FILTERED.has(name) && FILTERED.has(view) ? kept : new URLSearchParams()), text: t(`view.${name}`), "aria-current": name === view ? "page" : null })));
    main.className = `view-${view}`;
    window.scrollTo(0, 0);
    if (ready) Promise.resolve(SHOW[view](main, params, ending.signal)).catch((error) => fail(main, error, refresh));
  }
  if (ready) detail(params.get("image"));
}

function refresh() {
  shown = null;
  show();
}

// --- the key ------------------------------------------------------------------------------------------------

let ready = false;

/** Ask for the key; `why` says what is wrong with the one that there is. */
function askForKey(why = null) {
  if (keyDialog) return;
  const field = el("input", { id: "key", type: "password", autocomplete: "off", required: true, spellcheck: "false" });
  const error = el("p", { class: "bad", role: "alert", text: why || "" });
  const form = el("form", { on: { submit: async (event) => {
    event.preventDefault();
    setKey(field.value.trim());
    error.textContent = "";
    try {
      await ask("GET", "/images/info");
      keyDialog.close();
      begin();
    } catch (failed) {
      setKey(null);
      error.textContent = failed.status === 403 || failed.status === 401 ? t("key.wrong") : `${t(titleOf(failed))} ${failed.message}`;
      field.focus();
    }
  } } }, el("label", { for: "key", text: t("key.label") }), field, error, el("div", { class: "actions" },
    hasKey() && ready ? button(t("key.forget"), () => {
      setKey(null);
      location.reload();
    }) : null,
    el("button", { class: "primary", text: t("key.use") })));
  keyDialog = dialog(t("key.title"), "ask-key", el("p", { text: t("key.detail") }), form, el("pre", { text: "terraform output -raw api_key" }));
  keyDialog.addEventListener("close", () => {
    keyDialog = null;
    if (!hasKey() && !ready) fail(main, new Refused(403, { detail: t("key.missing") }, 0), () => askForKey());
  });
}

told.addEventListener("refused", ({ detail: refused }) => {
  if (!ready || keyDialog) return;
  ready = false;
  setKey(null);
  ending.abort();
  detail(null);
  askForKey(`${t("key.refused")} ${refused.message}`);
});

let saidBusy = 0;
told.addEventListener("busy", () => {
  if (Date.now() - saidBusy < 5000) return;
  saidBusy = Date.now();
  notice(t("busy"), { seconds: 3 });
});
window.addEventListener("offline", () => notice(t("error.offline"), { bad: true }));

function begin() {
  ready = true;
  refresh();
}

/** A deployment without keys needs none; others say so. */
async function start() {
  show();
  if (hasKey()) return begin();
  try {
    await ask("GET", "/images/info");
    return begin();
  } catch (error) {
    if (error.status === 403 && error.message.includes("Signature")) return fail(main, new Refused(403, { detail: t("key.signed") }, 0));
    if (error.status === 403 || error.status === 401) return askForKey();
    return fail(main, error, start);
  }
}

// --- the selection, files from anywhere, keys ----------------------------------------------------------------

events.addEventListener("selection", () => {
  selected.hidden = !selection.size;
  fill(selected, el("p", { role: "status", text: t("selected", { count: selection.size }) }), button(t("delete"), () => remove([...selection.values()]), { class: "danger" }), button(t("clear-selection"), selectNone));
});

events.addEventListener("uploads", ({ detail: left }) => {
  pending.textContent = left ? t("uploading", { count: left }) : "";
});

function take(event, transfer) {
  if (!ready || !transfer?.files.length) return;
  event.preventDefault();
  if (read().view !== "uploads") go("uploads", new URLSearchParams());
  add(transfer.files);
}

document.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
document.addEventListener("dragenter", (event) => document.body.classList.toggle("dragging", Boolean(event.dataTransfer?.types.includes("Files"))));
document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dragging"));
document.addEventListener("drop", (event) => {
  document.body.classList.remove("dragging");
  take(event, event.dataTransfer);
});
document.addEventListener("paste", (event) => take(event, event.clipboardData));
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const tab = Number(event.key) - 1;
  if (event.key === "/") search.focus();
  else if (event.key === "u") go("uploads", new URLSearchParams());
  else if (tab in tabs.children) tabs.children[tab].click();
  else return;
  event.preventDefault();
});

window.addEventListener("hashchange", () => {
  show();
  closeDetail();
});
window.addEventListener("popstate", () => show());

start();
