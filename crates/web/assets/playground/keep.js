// Keys while the browser is away at the server. A page that is left forgets its memory, and sessionStorage holds texts only: IndexedDB
// holds the handle of a key that no script can read. What is taken out is gone; what nobody takes goes with the next visit.

/** @typedef {{ [name: string]: unknown }} Kept */

const NAME = "grantor.playground";
const STORE = "keys";

/** Nobody needs longer to sign in, in milliseconds. */
const LONGEST = 60 * 60 * 1000;

/** Keeps something under a name. @param {string} name @param {Kept} kept */
export async function keep(name, kept) {
  const database = await opened();
  await ended(database.transaction(STORE, "readwrite").objectStore(STORE).put({ at: Date.now(), kept }, name));
  database.close();
}

/** Takes something out, and throws away what waits in vain. @param {string} name @returns {Promise<Kept>} */
export async function takeKept(name) {
  const database = await opened();
  const store = database.transaction(STORE, "readwrite").objectStore(STORE);
  /** @type {Kept} */
  let found = {};
  for (const key of await ended(store.getAllKeys())) {
    const { at, kept } = await ended(store.get(key));
    if (key === name) found = kept;
    if (key === name || Date.now() - at > LONGEST) store.delete(key);
  }
  database.close();
  return found;
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  const request = indexedDB.open(NAME, 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE));
  return ended(request);
}

/** @template Result @param {IDBRequest<Result>} request @returns {Promise<Result>} */
function ended(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}
