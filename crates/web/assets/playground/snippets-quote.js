// Values as literals of other languages. A value can come from a link that somebody else made, and what is written here is
// pasted and run: no value may end its literal, and none may hide in one or steer a terminal.

/** What is not to be seen, or moves what is seen: written as an escape. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * What every language can hold: whole characters, and no NUL.
 * @param {string} value
 */
export function plain(value) {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(value)).replaceAll("\0", "");
}

/**
 * A word of the POSIX shell (2.2.2): in quotes that only another one ends. What is hidden is written by printf, in octal;
 * a line feed stands for itself.
 * @param {string} value
 */
export function shell(value) {
  let word = "";
  let quoted = "";
  const end = () => {
    if (quoted !== "") word += `'${quoted.replaceAll("'", `'\\''`)}'`;
    quoted = "";
  };
  for (const character of plain(value)) {
    if (character === "\n" || !HIDDEN.test(character)) {
      quoted += character;
      continue;
    }
    end();
    const bytes = [...new TextEncoder().encode(character)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`);
    word += `"$(printf '${bytes.join("")}')"`;
  }
  end();
  return word === "" ? "''" : word;
}

/** @param {string} value */
export function javascript(value) {
  return escaped(value, (code) => `\\u{${code.toString(16)}}`);
}

/** @param {string} value */
export function python(value) {
  return escaped(value, (code) => `\\U${code.toString(16).padStart(8, "0")}`);
}

/** @param {string} value */
export function rust(value) {
  return escaped(value, (code) => `\\u{${code.toString(16)}}`);
}

/**
 * A literal in double quotes, of a language in which a backslash escapes.
 * @param {string} value
 * @param {(code: number) => string} hidden
 */
function escaped(value, hidden) {
  /** @type {{ [character: string]: string }} */
  const known = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const characters = [...plain(value)].map((character) => {
    if (Object.hasOwn(known, character)) return known[character];
    return HIDDEN.test(character) ? hidden(character.codePointAt(0) ?? 0) : character;
  });
  return `"${characters.join("")}"`;
}
