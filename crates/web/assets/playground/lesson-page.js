// The ten minutes on the page: the list that ticks itself off, and a guide at the lower edge for whoever wants to be led.

import { t } from "./cards.js";
import { button, byId, element } from "./dom.js";
import { THINGS, WAYS, byExchange } from "./lesson.js";
import { LESSON } from "./session.js";

/** @import { Course } from "./course.js" */
/** @import { Exchange, Thing } from "./lesson.js" */

const list = byId("lesson", HTMLElement);

/** @type {{ led: boolean, done: Thing[] }} */
const state = JSON.parse(sessionStorage.getItem(LESSON) ?? '{ "led": false, "done": [] }');

const said = element("p", { role: "status" });
const hint = element("p", { class: "hint" });
const show = button(t("lesson-show"), point, "primary small show");
const guide = element("section", { id: "guide", "aria-labelledby": "lesson-heading" }, said, hint,
  element("div", { class: "actions" }, show, button(t("lesson-stop"), () => lead(false), "secondary small")));

byId("lesson-begin", HTMLButtonElement).addEventListener("click", () => {
  if (next() === undefined) state.done = [];
  lead(true);
  point();
});
draw();

/** Looks on at a course. @param {Course} course @param {Exchange} exchange */
export function learn(course, exchange) {
  learned(byExchange(exchange, course.exchanges));
}

/** Ticks things off. @param {Thing[]} things */
export function learned(things) {
  const more = things.filter((thing) => !state.done.includes(thing));
  if (more.length === 0) return;
  state.done.push(...more);
  keep();
}

/** @param {boolean} led */
function lead(led) {
  state.led = led;
  keep();
}

function keep() {
  sessionStorage.setItem(LESSON, JSON.stringify(state));
  draw();
}

/** The first thing that was not done yet. */
function next() {
  return THINGS.find((thing) => !state.done.includes(thing));
}

/** @param {Thing} thing */
function row(thing) {
  const found = list.querySelector(`[data-thing=${thing}]`);
  if (!(found instanceof HTMLElement)) throw new Error(`the list has no ${thing}`);
  return found;
}

function draw() {
  for (const thing of THINGS) {
    const isDone = state.done.includes(thing);
    row(thing).classList.toggle("is-done", isDone);
    row(thing).querySelector(".visually-hidden")?.remove();
    if (isDone) row(thing).append(element("span", { class: "visually-hidden" }, t("lesson-done")));
  }
  unpoint();
  if (!state.led) return guide.remove();
  const thing = next();
  const [title, text] = thing === undefined ? [null, null] : row(thing).children;
  said.replaceChildren(title === null
    ? t("lesson-over", { all: THINGS.length })
    : t("lesson-count", { done: state.done.length, all: THINGS.length, thing: title.textContent ?? "" }));
  hint.replaceChildren(text?.textContent ?? "");
  guide.dataset.done = String(state.done.length);
  show.hidden = thing === undefined;
  if (!guide.isConnected) byId("playground", HTMLElement).after(guide);
}

/** Leads to what is to be pressed next. */
function point() {
  const thing = next();
  const target = thing && WAYS[thing].flatMap((css) => [...document.querySelectorAll(css)]).find(canBePressed);
  unpoint();
  if (!(target instanceof HTMLElement)) return;
  target.classList.add("pointed");
  target.addEventListener("click", unpoint, { once: true });
  target.scrollIntoView({ block: "center", behavior: "auto" });
  target.focus({ preventScroll: true });
}

function unpoint() {
  document.querySelector(".pointed")?.classList.remove("pointed");
}

/** @param {Element} one */
function canBePressed(one) {
  return one.getClientRects().length > 0 && !one.matches(":disabled");
}
