// What is looked at, as the page's address and as a question to the API.
//
// The address is `#/view?name=value&...`: the names of fields ask for images, `image` is the one that is open.

/** What the rail counts, in its order. `kind` says how a filter writes its values. */
export const FACETS = [
  { name: "camera.make", kind: "text" },
  { name: "camera.model", kind: "text" },
  { name: "camera.lens", kind: "text" },
  { name: "format", kind: "text" },
  { name: "keywords", kind: "texts" },
  { name: "rating", kind: "literal" },
  { name: "has_gps", kind: "literal" },
  { name: "exposure.iso", kind: "range" },
  { name: "size", kind: "range" },
  { name: "status", kind: "text" },
];
/** Fields whose value can be asked for from an image's details, beside those of the rail. */
const FILTERED = new Map([
  ...FACETS.map(({ name, kind }) => [name, kind]),
  ...["content_type", "color_mode", "color_profile", "artist", "copyright", "software", "taken_at_source", "etag"].map((name) => [name, "text"]),
  ...["orientation", "bit_depth", "has_alpha", "animated", "exposure.flash", "width", "height"].map((name) => [name, "literal"]),
]);
export const SORTS = ["-uploaded_at", "uploaded_at", "-taken_at", "taken_at", "-size", "size", "filename"];
export const VIEWS = ["images", "map", "duplicates", "problems", "uploads", "similar"];
export const TIMES = ["taken_at", "uploaded_at"];
/** Names that are no filter. */
const OTHERS = new Set(["sort", "image", "by", "of", "q", "bbox", "where", "time"]);

/** What the address asks for: `{view, params}`. */
export function read(hash = location.hash) {
  const [path, text] = hash.replace(/^#\/?/, "").split("?", 2);
  return { view: VIEWS.includes(path) ? path : "images", params: new URLSearchParams(text || "") };
}

/** The address of a view. */
export function address(view, params) {
  const text = String(params);
  return `#/${view === "images" ? "" : view}${text ? `?${text}` : ""}`;
}

/** Copy of `params` with some changed: null takes a name away, a list sets several values. */
export function changed(params, changes) {
  const copy = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    copy.delete(name);
    if (value !== null) [value].flat().forEach((each) => copy.append(name, each));
  }
  return copy;
}

/** Whether a field's value can be asked for. */
export const isFiltered = (name) => FILTERED.has(name);

/** The filters of an address, `[name, value]` each. */
export function filters(params) {
  return [...params].filter(([name]) => name === "q" || name === "bbox" || name === "where" || TIMES.includes(name) || FILTERED.has(name));
}

export const sortOf = (params) => (SORTS.includes(params.get("sort")) ? params.get("sort") : SORTS[0]);
/** The time by which the timeline counts: when images were taken, or when they came. */
export const timeOf = (params) => (params.get("time") === "uploaded_at" ? "uploaded_at" : "taken_at");

/** What the search's language and DuckDB's say differently. Times are texts there, as precise as they are stated. */
const CQL2 = {
  overlaps: (name, texts) => `A_OVERLAPS(${name}, (${texts.join(", ")}))`,
  bound: (name, sign, text) => `${name} ${sign} ${quoted(text)}`,
};
const SQL = {
  overlaps: (name, texts) => `list_has_any(${name}, [${texts.join(", ")}])`,
  bound: (name, sign, text) => `left(${name}, ${text.length}) ${sign} ${quoted(text)}`,
};

/** The body of `POST /search` that the address asks for; `without` leaves a name away. */
export function body(params, without = null) {
  const parts = conditions(params, without, CQL2);
  if (params.get("where") && without !== "where") parts.push(`(${params.get("where")})`);
  const asked = { sortby: sortOf(params) };
  if (parts.length) asked.filter = parts.join(" AND ");
  for (const name of ["q", "bbox"]) if (params.get(name) && without !== name) asked[name] = params.get(name);
  if (asked.bbox) asked.bbox = asked.bbox.split(",").map(Number);
  return asked;
}

/** The same question for tools/ops/sql.py; null where it asks for words, or by a filter of the visitor's own. */
export function sql(params) {
  if (params.get("q") || params.get("where")) return null;
  const parts = conditions(params, null, SQL);
  if (params.get("bbox")) {
    const [west, south, east, north] = params.get("bbox").split(",").map(Number);
    parts.push(`(gps.longitude >= ${west} ${west > east ? "OR" : "AND"} gps.longitude <= ${east})`, `gps.latitude BETWEEN ${south} AND ${north}`);
  }
  const [, descending, name] = /^(-?)(.*)$/.exec(sortOf(params));
  const where = parts.length ? `\nWHERE ${parts.join("\n  AND ")}` : "";
  return `SELECT * FROM images${where}\nORDER BY ${name}${descending && " DESC"} NULLS LAST`;
}

function conditions(params, without, language) {
  const parts = [];
  for (const name of new Set(params.keys())) {
    if (name === without || OTHERS.has(name)) continue;
    const values = params.getAll(name);
    if (TIMES.includes(name)) parts.push(during(name, values[0], language));
    else if (FILTERED.has(name)) parts.push(among(name, FILTERED.get(name), values, language));
  }
  return parts;
}

/** A time, or from one to another; an end that is not stated is open. */
function during(name, text, language) {
  if (text === "") return `${name} IS NULL`;
  const [from, to = from] = text.split("..");
  const ends = [from && language.bound(name, ">=", from), to && language.bound(name, "<=", to)].filter(Boolean);
  return ends.join(" AND ") || `${name} IS NOT NULL`;
}

const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

function among(name, kind, values, language) {
  const stated = values.filter((value) => value !== "");
  const parts = [];
  if (kind === "range") parts.push(...stated.map((value) => between(name, value)));
  else if (kind === "texts" && stated.length) parts.push(language.overlaps(name, stated.map(quoted)));
  else if (stated.length === 1) parts.push(`${name} = ${kind === "text" ? quoted(stated[0]) : literal(stated[0])}`);
  else if (stated.length) parts.push(`${name} IN (${stated.map(kind === "text" ? quoted : literal).join(", ")})`);
  if (values.includes("")) parts.push(`${name} IS NULL`);
  return parts.length > 1 ? `(${parts.join(" OR ")})` : parts[0];
}

// Numbers and truth values stand in a filter as they are; anything else in their place is a text, which finds nothing.
const literal = (text) => (/^(true|false|-?\d+(\.\d+)?)$/.test(text) ? text : quoted(text));

function between(name, text) {
  const [from, to, last] = text.split("..");
  return `(${name} >= ${literal(from)} AND ${name} ${last === "" ? "<=" : "<"} ${literal(to)})`;
}
