// Words in the browser's language, and how numbers, bytes and times read in it.

import en from "./en.js";
import es from "./es.js";
import pt from "./pt.js";

const LANGUAGES = { en, es, pt };
const STORE = "language";

const wanted = [localStorage.getItem(STORE), ...navigator.languages].filter(Boolean).map((tag) => tag.split("-")[0]);
export const language = wanted.find((tag) => tag in LANGUAGES) || "en";
/** What the languages call themselves. */
export const languages = Object.entries(LANGUAGES).map(([tag, words]) => [tag, words.language]);
// Dates and numbers of the region too, where the browser's own language is the one that is shown.
const locale = navigator.languages.find((tag) => tag.split("-")[0] === language) || language;
const plural = new Intl.PluralRules(locale);
const plain = new Intl.NumberFormat(locale);
const rounded = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Show another language from the next load on. */
export function setLanguage(tag) {
  localStorage.setItem(STORE, tag);
  location.reload();
}

/** A message; `{name}` in it stands for a value. One with several forms takes the form that `values.count` needs. */
export function t(name, values = {}) {
  let message = LANGUAGES[language][name] ?? en[name] ?? name;
  if (typeof message === "object") message = message[plural.select(values.count)] ?? message.other;
  return message.replace(/\{(\w+)\}/g, (_, each) => {
    const value = values[each];
    return typeof value === "number" ? plain.format(value) : String(value ?? "");
  });
}

/** Whether there are words for it. */
export const hasText = (name) => name in en;
export const number = (value) => plain.format(value);

export function bytes(size) {
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${rounded.format(size)} ${UNITS[unit]}`;
}

/** A moment in UTC as the reader's own time. */
export function moment(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
}

/** A camera's local time, or its beginning, as precise as it is stated: nobody knows its moment. */
export function localTime(text) {
  const parts = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d))?)?)?/.exec(text);
  if (!parts) return text;
  const [, year, month, day, hour, minute] = parts.map((part) => (part === undefined ? undefined : Number(part)));
  const date = new Date(Date.UTC(year, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0));
  const options = { year: "numeric", timeZone: "UTC" };
  if (month) options.month = day ? "short" : "long";
  if (day) options.day = "numeric";
  if (hour !== undefined) Object.assign(options, { hour: "numeric", minute: "2-digit" });
  return new Intl.DateTimeFormat(locale, options).format(date);
}
