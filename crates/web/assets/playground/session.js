// What one tab keeps while the browser is away at the server. Never a client secret, and nothing for longer than the tab.

/** The flow that is under way. */
export const RUN = "grantor.playground.run";

/** The authorization response that arrived. */
export const ANSWER = "grantor.playground.answer";

/** Another server that this tab walks through: its issuer and its metadata. Nothing of it is secret; it stays while the tab does. */
export const SERVER = "grantor.playground.server";

/** Which of the ten minutes' things were done, by their names, and whether somebody wants to be led. It stays while the tab does. */
export const LESSON = "grantor.playground.lesson";

/** The token that the inspector is to show. */
export const TOKEN = "grantor.playground.token";

/**
 * Takes something out: it is there once.
 * @param {string} name
 */
export function take(name) {
  const found = sessionStorage.getItem(name);
  sessionStorage.removeItem(name);
  return found;
}
