// The key of this browser: made here, kept here, and not to be had out of here.

const NAME = "grantor.desk";
const KEYS = "keys";

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((found, failed) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(KEYS);
    opening.onsuccess = () => found(opening.result);
    opening.onerror = () => failed(opening.error);
  });
}

/**
 * @template T
 * @param {IDBRequest<T>} asking
 * @returns {Promise<T>}
 */
function answer(asking) {
  return new Promise((found, failed) => {
    asking.onsuccess = () => found(asking.result);
    asking.onerror = () => failed(asking.error);
  });
}

/**
 * The key to which what is derived for somebody is bound; each user of this browser has his own.
 * @param {string} user
 * @returns {Promise<CryptoKeyPair>}
 */
export async function keyOf(user) {
  const db = await open();
  const found = await answer(db.transaction(KEYS).objectStore(KEYS).get(user));
  if (found) return found;
  const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  await answer(db.transaction(KEYS, "readwrite").objectStore(KEYS).put(made, user));
  return made;
}
