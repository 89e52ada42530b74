// Renewing a token before it expires: by itself while the page is open, or now.

import { t } from "./cards.js";
import { button, element } from "./dom.js";
import { renewAt } from "./time.js";

/** Whether tokens renew themselves: it is asked once, and holds for those that follow. */
let byItself = false;

/** Nothing renews itself any more: somebody else does that from now on. */
export function endRenewal() {
  current?.remove();
  current = null;
}

/** What is on the page for the token that is now in use. @type {HTMLElement | null} */
let current = null;

/**
 * Beside the countdown of the newest token: to renew it now, or by itself.
 * @param {number} expires seconds since the epoch
 * @param {() => void} renew
 */
export function renewal(expires, renew) {
  const issued = Date.now() / 1000;
  const box = element("input", { type: "checkbox", class: "renew" });
  box.checked = byItself;
  box.addEventListener("change", () => (byItself = box.checked));
  const go = () => {
    shown.remove();
    renew();
  };
  const shown = element("div", { class: "renewal" }, element("label", {}, box, " ", t("renew-itself")), button(t("renew-now"), go, "secondary small renew-now"));
  current?.remove();
  current = shown;
  const clock = setInterval(() => {
    if (current !== shown || !shown.isConnected) clearInterval(clock);
    else if (box.checked && Date.now() / 1000 >= renewAt(issued, expires)) go();
  }, 1000);
  return shown;
}
