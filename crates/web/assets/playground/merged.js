// What somebody changed in a request stays; the rest of it may be made anew.

/** @import { Request } from "./flow.js" */

/**
 * @param {Request} draft as it was shown
 * @param {Request} edited as it stands in the form now
 * @param {Request} fresh as it was made anew
 * @returns {Request}
 */
export function merged(draft, edited, fresh) {
  const key = (/** @type {{ part: string, name: string }} */ { part, name }) => `${part} ${name}`;
  const before = new Map(draft.parameters.map((parameter) => [key(parameter), parameter.value]));
  const changed = new Map(edited.parameters.filter((parameter) => before.get(key(parameter)) !== parameter.value).map((parameter) => [key(parameter), parameter.value]));
  const parameters = fresh.parameters.map((parameter) => ({ ...parameter, value: changed.get(key(parameter)) ?? parameter.value }));
  return { ...fresh, parameters };
}
