/** Reading one table of models.toml: as much of TOML 1.0 as the tables use, and an error for anything else. */

export type TomlValue = string | number | boolean | TomlValue[] | { [key: string]: TomlValue };

/** Reads the table `[name]`; keys and values each on one line. */
export function tableNamed(text: string, name: string): Record<string, TomlValue> {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => line.trim() === `[${name}]`);
  if (start < 0) throw new Error(`There is no table [${name}].`);
  const length = lines.slice(start + 1).findIndex((line) => line.trimStart().startsWith("["));
  const own = lines.slice(start + 1, length < 0 ? undefined : start + 1 + length);
  return Object.fromEntries(own.filter((line) => /^\s*[^\s#]/.test(line)).map((line) => new Reader(line).pair("line")));
}

/** Reads one line from its beginning. */
class Reader {
  #at = 0;

  constructor(private readonly text: string) {}

  pair(within: "line" | "table"): [string, TomlValue] {
    const key = this.#take(/[A-Za-z0-9_-]+/y, "a key");
    this.#take(/=/y, "=");
    const value = this.#value();
    if (within === "line") this.#take(/(?:#.*)?$/y, "the end of the line");
    return [key, value];
  }

  #value(): TomlValue {
    if (this.#skip("[")) return this.#listed("]", () => this.#value());
    if (this.#skip("{")) return Object.fromEntries(this.#listed("}", () => this.pair("table")));
    const word = this.#take(/"(?:[^"\\]|\\["\\nt])*"|true|false|[+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?/y, "a value");
    return JSON.parse(word.startsWith('"') ? word : word.replaceAll("_", "").replace(/^\+/, "")) as TomlValue;
  }

  #listed<T>(end: "]" | "}", item: () => T): T[] {
    const items: T[] = [];
    while (!this.#skip(end)) {
      items.push(item());
      if (!this.#skip(",")) {
        this.#take(end === "]" ? /\]/y : /\}/y, end);
        break;
      }
    }
    return items;
  }

  #skip(sign: string): boolean {
    this.#blank();
    if (!this.text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  #take(pattern: RegExp, what: string): string {
    this.#blank();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new Error(`Expected ${what} at column ${this.#at + 1} of: ${this.text}`);
    this.#at += found.length;
    return found;
  }

  #blank(): void {
    while (this.text[this.#at] === " " || this.text[this.#at] === "\t") this.#at++;
  }
}
