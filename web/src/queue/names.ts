/** Names of files that are saved. */

const ENDINGS: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/webp": "webp",
  "image/avif": "avif",
  "image/tiff": "tiff",
  "image/jpeg": "jpg",
};

/** Name the result of a picture: `cat.jpg` becomes `cat_no_bg.png`. */
export function resultName(name: string, type: string): string {
  return `${stemOf(name)}_no_bg.${ENDINGS[type] ?? "png"}`;
}

/** A file's name without folders and ending, and without what file systems do not take. */
export function stemOf(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? "";
  const stem = last.replace(/\.[^.]*$/, "");
  // eslint-disable-next-line no-control-regex -- control characters are among what no file system wants
  const plain = stem.replace(/[<>:"|?*\u0000-\u001f]/g, "").replace(/^[\s.]+|[\s.]+$/g, "");
  return plain.slice(0, 80).toWellFormed() || "picture";
}

/** Keep names apart within one archive: the second `cat.png` becomes `cat (2).png`. */
export function distinct(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const at = name.lastIndexOf(".");
    let free = name;
    for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${name.slice(0, at)} (${n})${name.slice(at)}`;
    taken.add(free.toLowerCase());
    return free;
  });
}
