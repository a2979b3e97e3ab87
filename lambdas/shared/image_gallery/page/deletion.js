// Deleting: what is deleted is out of sight at once and deleted after some seconds, unless it is taken back.

import { ask, send } from "./api.js";
import { events, gone, notice, selectNone, uploaded } from "./frame.js";
import { t } from "./text.js";

/** Seconds in which it can be taken back; the file is not touched before. */
const REGRET = 7;
/** Ids that one request takes. */
const BATCH = 100;

/** What is to be deleted and has not been sent. */
const waiting = new Set();

/** Delete these images. */
export function remove(records) {
  const ids = records.map((record) => record.image_id);
  ids.forEach((id) => gone.add(id));
  selectNone();
  events.dispatchEvent(new CustomEvent("records"));
  const batch = { ids };
  waiting.add(batch);
  const close = notice(t("deleted", { count: ids.length }), { seconds: 0, actions: [[t("undo"), undo]] });
  const timer = setTimeout(() => {
    close();
    finish(batch);
  }, REGRET * 1000);

  function undo() {
    clearTimeout(timer);
    waiting.delete(batch);
    restore(ids);
  }
}

function restore(ids) {
  ids.forEach((id) => gone.delete(id));
  events.dispatchEvent(new CustomEvent("records"));
}

async function finish(batch) {
  waiting.delete(batch);
  for (let at = 0; at < batch.ids.length; at += BATCH) {
    const ids = batch.ids.slice(at, at + BATCH);
    try {
      const { results } = await ask("POST", "/images/delete", { json: { image_ids: ids } });
      const left = results.filter(({ deleted, error }) => !deleted && error.status !== 404);
      if (left.length) {
        restore(left.map(({ image_id: id }) => id));
        notice(t("not-deleted", { count: left.length, reason: left[0].error.detail }), { seconds: 0, bad: true });
      }
    } catch (error) {
      const kept = batch.ids.slice(at);
      restore(kept);
      notice(t("not-deleted", { count: kept.length, reason: error.message }), { seconds: 0, bad: true });
      return;
    }
  }
  for (let at = uploaded.length - 1; at >= 0; at -= 1) if (gone.has(uploaded[at].image_id)) uploaded.splice(at, 1);
}

// Whoever leaves the page has not taken it back.
window.addEventListener("pagehide", () => {
  for (const { ids } of waiting) {
    for (let at = 0; at < ids.length; at += BATCH) {
      send("POST", "/images/delete", { json: { image_ids: ids.slice(at, at + BATCH) }, keepalive: true }).catch(() => {});
    }
  }
  waiting.clear();
});
