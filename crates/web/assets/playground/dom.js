// Pieces of pages. Text is only ever set as text.

/**
 * An element with attributes and children; an attribute that is false is left out, one that is true is empty.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {{ [attribute: string]: string | number | boolean }} [attributes]
 * @param {(Node | string | null)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(attribute, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * The element of an id, which the page has.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

/**
 * A button that does something.
 * @param {string} text
 * @param {() => void} press
 * @param {string} [kind]
 */
export function button(text, press, kind = "primary") {
  const made = element("button", { type: "button", class: kind }, text);
  made.addEventListener("click", press);
  return made;
}

/**
 * Where a rule stands; a link when it is an RFC.
 * @param {string} section such as "RFC 7519 4.1.1"
 */
export function source(section) {
  const [, number, part] = /^RFC (\d+)(?: ([\d.A-Z]+))?$/.exec(section) ?? [];
  if (!number) return element("span", { class: "source" }, section);
  const place = part ? `#section-${part}` : "";
  const href = `https://www.rfc-editor.org/rfc/rfc${number}${place}`;
  return element("a", { class: "source", href, target: "_blank", rel: "noopener noreferrer" }, section);
}

/**
 * A value of JSON, as a person reads it.
 * @param {unknown} value
 */
export function pretty(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/**
 * A span of time in the two largest units.
 * @param {number} seconds
 * @param {string} language
 */
export function span(seconds, language) {
  const units = /** @type {const} */ ([["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]);
  let left = Math.abs(Math.round(seconds));
  const said = [];
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0 || (unit === "second" && said.length === 0)) {
      const format = { style: "unit", unit, unitDisplay: unit === "day" ? "long" : "short" };
      said.push(new Intl.NumberFormat(language, /** @type {Intl.NumberFormatOptions} */ (format)).format(count));
    }
    if (said.length === 2) break;
  }
  return said.join(" ");
}

/**
 * A moment as a date.
 * @param {number} seconds since the epoch
 * @param {string} language
 */
export function moment(seconds, language) {
  const date = new Date(seconds * 1000);
  const text = date.toLocaleString(language, { dateStyle: "medium", timeStyle: "medium" });
  return element("time", { datetime: date.toISOString() }, text);
}
