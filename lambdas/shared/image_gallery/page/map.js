// Where the images were taken: clusters over an outline of the land, a box as a filter.

import { ask } from "./api.js";
import { button, el, fill } from "./dom.js";
import { change, empty, fail, go } from "./frame.js";
import { body, changed } from "./question.js";
import { showRequest } from "./request.js";
import { number, t } from "./text.js";

const WORLD = { west: -180, south: -90, east: 180, north: 90 };
/** Degrees of longitude that the map spans at least. */
const CLOSEST = 0.02;
/** Clusters nearer to one another than this many pixels are one. */
const APART = 46;
const ZOOM = 2;
/** The map spans more than this -> the length of the geohash cells that are counted. */
const CELLS = [[90, 4], [20, 5], [3, 6], [0.4, 7], [0, 8]];

let land = null;

export async function map(main, params, signal) {
  const count = el("p", { class: "count", role: "status" });
  const layer = el("div", { class: "clusters" });
  const outline = el("path", { class: "land" });
  const box = el("rect", { class: "box" });
  const picture = el("svg", { preserveAspectRatio: "none", "aria-hidden": "true" }, outline, box);
  const node = el("div", { class: "map", tabindex: "0", role: "group", "aria-label": t("map.keys") }, picture, layer);
  const drawing = button(t("draw-box"), () => setDrawing(!drawn), { "aria-pressed": "false" });
  let requests = [];
  let drawn = false;
  let view = params.get("bbox") ? around(params.get("bbox").split(",").map(Number)) : { ...WORLD };

  fill(main, el("div", { class: "main" }, el("div", { class: "bar" }, count, el("div", { class: "tools" },
    button("+", () => zoom(1 / ZOOM), { label: t("zoom-in") }), button("−", () => zoom(ZOOM), { label: t("zoom-out") }),
    button(t("whole-world"), () => look(WORLD)), drawing,
    button(t("use-view"), () => filter(view)),
    params.get("bbox") && button(t("clear-box"), () => change({ bbox: null })),
    button(t("show-in-grid"), () => go("images", changed(params, { image: null }))),
    button(t("show-request"), () => showRequest(requests)))), node, el("p", { class: "note", text: t("map.source") })));

  land ||= fetch(new URL("land.json", import.meta.url)).then((answer) => answer.json()).then(outlineOf);
  land.then((path) => outline.setAttribute("d", path), () => {
    land = null;
  });

  function filter({ west, south, east, north }) {
    const sides = [Math.max(-180, west), Math.max(-90, south), Math.min(180, east), Math.min(90, north)];
    change({ bbox: sides.map((degree) => Number(degree.toFixed(4))).join(",") });
  }

  function setDrawing(on) {
    drawn = on;
    drawing.setAttribute("aria-pressed", String(on));
    node.classList.toggle("drawing", on);
  }

  function look(to) {
    const shape = node.clientHeight / node.clientWidth || 0.5;
    const width = Math.min(360, Math.max(to.east - to.west, (to.north - to.south) / shape, CLOSEST));
    const height = Math.min(180, width * shape);
    const x = Math.max(-180, Math.min(180 - width, (to.west + to.east - width) / 2));
    const y = Math.max(-90, Math.min(90 - height, (to.south + to.north - height) / 2));
    view = { west: x, south: y, east: x + width, north: y + height };
    draw();
    ended();
  }

  function draw() {
    picture.setAttribute("viewBox", `${view.west} ${-view.north} ${view.east - view.west} ${view.north - view.south}`);
    const bbox = params.get("bbox")?.split(",").map(Number);
    if (bbox) mark(bbox);
  }

  function mark([west, south, east, north]) {
    for (const [name, value] of Object.entries({ x: west, y: -north, width: Math.max(0, east - west), height: Math.max(0, north - south) })) box.setAttribute(name, value);
  }

  function zoom(factor, at = { x: 0.5, y: 0.5 }) {
    const width = view.east - view.west;
    const height = view.north - view.south;
    const x = view.west + at.x * width - at.x * width * factor;
    const y = view.north - at.y * height + at.y * height * factor;
    look({ west: x, north: y, east: x + width * factor, south: y - height * factor });
  }

  let timer = 0;
  function ended() {
    clearTimeout(timer);
    timer = setTimeout(load, 150);
  }

  async function load() {
    if (signal.aborted) return;
    try {
      const { counts, asked, matched } = await cells(params, view, signal);
      requests = [asked];
      count.textContent = t("with-place", { count: matched });
      const clusters = merged(counts, view, node.clientWidth, node.clientHeight);
      fill(layer, clusters.map((cluster) => marker(cluster)));
      if (!matched) fill(layer, empty(t("no-places"), t("no-places.detail")));
    } catch (error) {
      fail(layer, error, load);
    }
  }

  function marker({ x, y, count: images, bbox }) {
    const [west, south, east, north] = bbox;
    const close = east - west < CLOSEST || images === 1;
    const size = 28 + 8 * Math.log10(images);
    return button(number(images), () => (close ? go("images", changed(params, { bbox: bbox.map((side) => Number(side.toFixed(6))).join(",") })) : look(around([west, south, east, north]))), {
      class: "cluster", label: t("images-here", { count: images }),
      style: { left: `${x}px`, top: `${y}px`, "min-width": `${size}px`, height: `${size}px` },
    });
  }

  const placeOf = (event) => {
    const area = node.getBoundingClientRect();
    const x = (event.clientX - area.left) / area.width;
    const y = (event.clientY - area.top) / area.height;
    return { x, y, longitude: view.west + x * (view.east - view.west), latitude: view.north - y * (view.north - view.south) };
  };
  let held = null;
  node.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button") || event.button) return;
    held = { start: placeOf(event), view: { ...view }, boxed: drawn || event.shiftKey };
    node.setPointerCapture(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => {
    if (!held) return;
    const now = placeOf(event);
    if (held.boxed) {
      held.box = [Math.min(held.start.longitude, now.longitude), Math.min(held.start.latitude, now.latitude), Math.max(held.start.longitude, now.longitude), Math.max(held.start.latitude, now.latitude)];
      mark(held.box);
      return;
    }
    const width = held.view.east - held.view.west;
    const height = held.view.north - held.view.south;
    const x = (held.start.x - now.x) * width;
    const y = (now.y - held.start.y) * height;
    fill(layer);
    look({ west: held.view.west + x, east: held.view.east + x, south: held.view.south + y, north: held.view.north + y });
  });
  node.addEventListener("pointerup", () => {
    const done = held;
    held = null;
    if (!done?.box) return;
    setDrawing(false);
    const [west, south, east, north] = done.box;
    filter({ west, south, east, north });
  });
  node.addEventListener("wheel", (event) => {
    event.preventDefault();
    fill(layer);
    zoom(event.deltaY > 0 ? 1.25 : 0.8, placeOf(event));
  }, { passive: false });
  node.addEventListener("keydown", (event) => {
    const width = (view.east - view.west) / 4;
    const height = (view.north - view.south) / 4;
    const steps = { ArrowLeft: [-width, 0], ArrowRight: [width, 0], ArrowUp: [0, height], ArrowDown: [0, -height] };
    if (event.key in steps) {
      const [x, y] = steps[event.key];
      look({ west: view.west + x, east: view.east + x, south: view.south + y, north: view.north + y });
    } else if (event.key === "+" || event.key === "=") zoom(1 / ZOOM);
    else if (event.key === "-") zoom(ZOOM);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(() => node.isConnected && look(view)).observe(node);
}

/** A box with some air around it. */
function around([west, south, east, north]) {
  const air = Math.max((east - west) * 0.3, 0.005);
  return { west: west - air, south: south - air, east: east + air, north: north + air };
}

/** How many images there are in each cell of a grid over the view. Where the cells are too many, larger ones. */
async function cells(params, view, signal) {
  const asked = { method: "POST", path: "/search", json: { ...body(params), limit: 1, fields: "size" } };
  if (view.east - view.west < 360) {
    const sides = [view.west, view.south, view.east, view.north].map((side) => side.toFixed(5));
    const within = `S_INTERSECTS(gps, BBOX(${sides.join(", ")}))`;
    asked.json.filter = asked.json.filter ? `${asked.json.filter} AND ${within}` : within;
  }
  for (let length = CELLS.find(([span]) => view.east - view.west > span)[1]; ; length -= 1) {
    asked.json.facets = `gps:geohash${length}`;
    const { facets, matched } = await ask("POST", "/search", { json: asked.json, signal });
    const { values, other, missing } = facets[asked.json.facets];
    if (!other || length === 1) return { counts: values, asked, matched: matched - (missing || 0) };
  }
}

/** Cells as clusters that do not cover one another, the fullest first. */
function merged(counts, view, width, height) {
  const clusters = [];
  for (const { bbox, count } of counts) {
    const x = (((bbox[0] + bbox[2]) / 2 - view.west) / (view.east - view.west)) * width;
    const y = ((view.north - (bbox[1] + bbox[3]) / 2) / (view.north - view.south)) * height;
    const near = clusters.find((cluster) => Math.hypot(cluster.x - x, cluster.y - y) < APART);
    if (!near) clusters.push({ x, y, count, bbox });
    else {
      near.count += count;
      near.bbox = [Math.min(near.bbox[0], bbox[0]), Math.min(near.bbox[1], bbox[1]), Math.max(near.bbox[2], bbox[2]), Math.max(near.bbox[3], bbox[3])];
    }
  }
  return clusters;
}

/** A TopoJSON's land as the path of an SVG: arcs are differences of whole numbers, shared by neighbours. */
function outlineOf({ arcs, transform, objects }) {
  const { scale, translate } = transform;
  const lines = arcs.map((arc) => {
    let x = 0;
    let y = 0;
    return arc.map(([east, north]) => {
      x += east;
      y += north;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
  const polygons = objects.land.geometries.flatMap((shape) => (shape.type === "Polygon" ? [shape.arcs] : shape.arcs));
  return polygons.flat().map((indices) => ring(indices.flatMap((index) => (index < 0 ? [...lines[~index]].reverse() : lines[index])))).join("");
}

/** A ring as a path. One that crosses the 180th meridian goes on beyond it, and comes in once more from the other side. */
function ring(points) {
  let turn = 0;
  const path = points.map(([longitude, latitude], index) => {
    const step = index ? longitude - points[index - 1][0] : 0;
    if (Math.abs(step) > 180) turn -= Math.sign(step) * 360;
    return [longitude + turn, latitude];
  });
  // Antarctica goes round the pole.
  if (turn) path.push([path.at(-1)[0], -90], [path[0][0], -90]);
  const text = (shift) => `M${path.map(([x, y]) => `${(x + shift).toFixed(2)} ${(-y).toFixed(2)}`).join("L")}Z`;
  const beyond = path.find(([x]) => Math.abs(x) > 180);
  return text(0) + (beyond ? text(-Math.sign(beyond[0]) * 360) : "");
}
