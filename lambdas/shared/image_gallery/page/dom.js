// Elements. Texts of records only ever become text nodes and attributes of ours: nothing here parses markup.

/**
 * An element. `properties`: `class`, `text`, `on` (event -> listener), `style` (name -> value, by CSSOM, since the
 * Content-Security-Policy admits no style attribute); every other is an attribute, false and null leave it away.
 */
export function el(tag, properties = {}, ...children) {
  const node = tag === "svg" || tag === "path" || tag === "rect"
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.setAttribute("class", value);
    else if (name === "text") node.textContent = value;
    else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "style") for (const [property, set] of Object.entries(value)) node.style.setProperty(property, set);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A button; a label that is not its text names it for screen readers and as a tooltip. */
export function button(text, action, properties = {}) {
  const { label, ...more } = properties;
  return el("button", { type: "button", text, "aria-label": label, title: label, ...more, on: { click: action } });
}

/** Replace what is in `node`. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A modal dialog that removes itself when it is closed; the focus goes back to where it was. */
export function dialog(title, className, ...children) {
  const before = document.activeElement;
  const heading = el("h2", { text: title, id: `title-${Math.random().toString(36).slice(2)}` });
  const node = el("dialog", { class: className, "aria-labelledby": heading.id }, heading, children);
  node.addEventListener("close", () => {
    node.remove();
    if (before?.isConnected) before.focus();
  });
  // A click on the backdrop is one on the dialog itself.
  node.addEventListener("click", (event) => event.target === node && node.close());
  document.body.append(node);
  node.showModal();
  return node;
}
