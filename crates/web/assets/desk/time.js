// When a token is renewed while the desk is open.

/**
 * How many seconds before its end: a minute, or the last quarter of one that lives short, so that what was renewed just
 * now is never renewed at once again.
 * @param {number} life seconds that the token lives altogether
 */
export function renewAt(life) {
  return Math.min(60, life / 4);
}
