// "Take it with you": the last card of a flow that went well.

import { t } from "./cards.js";
import { button, element } from "./dom.js";
import { endpoint, metadata, page } from "./site.js";
import { LANGUAGES, LOOPBACK, linkTo, shapeOf } from "./snippets.js";

/** @import { Course } from "./course.js" */
/** @import { Shape } from "./snippets.js" */

/** @typedef {keyof typeof LANGUAGES} Language */

const ID = "take";

/** Which language was looked at last. @type {Language} */
let chosen = "curl";

/** Looks on: shows the programs for what went well so far. @param {Course} course */
export function takeAlong(course) {
  const found = shapeOf(course.run, metadata(), course.exchanges, page.dataset.demoApi ?? endpoint("userinfo_endpoint"));
  if (found === null) return;
  const card = document.getElementById(ID) ?? empty();
  const shown = element("div", { class: "taken" });
  const link = button(t("take-link"), () => copy(linkTo(location.href, course.run, course.exchanges), said), "secondary");
  const said = element("p", { class: "verdict", role: "status" });
  shown.append(tabs(found.shape, said));
  if (found.shape.flow === "code") shown.append(element("p", { class: "hint" }, t("take-loopback", { uri: LOOPBACK })));
  if (found.without.length > 0) shown.append(element("p", { class: "hint" }, t("take-without", { names: found.without.join(", ") })));
  shown.append(element("div", { class: "actions" }, link), element("p", { class: "hint" }, t("take-link-hint")), said);
  card.querySelector(".taken")?.remove();
  card.append(shown);
}

/** The card, at the end of the page. */
function empty() {
  const heading = element("h2", { id: `${ID}-heading` }, t("take"));
  const card = element("section", { class: "card step", id: ID, "aria-labelledby": heading.id }, heading, element("p", { class: "why" }, t("take-why")));
  page.append(card);
  return card;
}

/**
 * A tab for each language; the arrows go from one to the next (ARIA Authoring Practices, "Tabs").
 * @param {Shape} shape
 * @param {HTMLElement} said
 */
function tabs(shape, said) {
  const languages = /** @type {Language[]} */ (Object.keys(LANGUAGES));
  const list = element("div", { class: "tabs", role: "tablist", "aria-label": t("take-languages") });
  const program = element("pre", { class: "code block program", tabindex: 0 });
  const panel = element("div", { role: "tabpanel", id: `${ID}-panel` }, program,
    element("div", { class: "actions" }, button(t("take-copy"), () => copy(program.textContent ?? "", said), "secondary small")));
  const made = languages.map((language) => {
    const tab = button(LANGUAGES[language].name, () => choose(language), "tab");
    tab.id = `${ID}-${language}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    list.append(tab);
    return tab;
  });
  const choose = (/** @type {Language} */ language) => {
    chosen = language;
    made.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(languages[at] === language));
      tab.tabIndex = languages[at] === language ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `${ID}-${language}`);
    program.textContent = LANGUAGES[language].render(shape);
    program.setAttribute("aria-label", LANGUAGES[language].name);
    program.dataset.language = language;
    said.replaceChildren();
  };
  list.addEventListener("keydown", (event) => {
    const at = languages.indexOf(chosen);
    const last = languages.length - 1;
    /** @type {{ [key: string]: number }} */
    const leads = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last };
    const to = leads[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(languages[to]);
    made[to].focus();
  });
  choose(chosen);
  return element("div", {}, list, panel);
}

/** @param {string} text @param {HTMLElement} said */
async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    said.replaceChildren(t("take-copied"));
  } catch {
    said.replaceChildren(t("take-not-copied"));
  }
}
