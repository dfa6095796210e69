/** Files to the kernel and from it, piece by piece: each piece waits until the one before has come. */

import { zipped, type Packed } from "../queue/zip";
import type { Link } from "./link";

/** A file that was not taken, with the kernel's sentence; `full` where no other would be either. */
export class Refused extends Error {
  constructor(
    sentence: string,
    readonly full: boolean,
  ) {
    super(sentence);
  }
}

/** Send a file. A picture is then in the list; a background comes back as the name by which recipes call it. */
export async function sent(link: Link, file: File, use: "picture" | "background" = "picture"): Promise<string> {
  const answer = await link.ask(["go", "refused"], "begin", { name: file.name, size: file.size, use });
  if (answer.kind === "refused") throw new Refused(answer.said.sentence, answer.said.full);
  const { upload } = answer.said;
  for (let offset = 0; ;) {
    const piece = await file.slice(offset, offset + link.about.chunk).arrayBuffer();
    const { said } = await link.ask(["got"], "chunk", { upload, offset }, piece);
    offset = said.offset;
    if (offset >= file.size) return said.asset ?? said.id ?? "";
  }
}

/** Have a result made, and take it. */
export async function taken(link: Link, id: string): Promise<Packed> {
  const answer = await link.ask(["made", "unmade"], "fetch", { id });
  if (answer.kind === "unmade") throw new Error(answer.said.sentence);
  const { name, type, size, turn: made } = answer.said;
  const parts: Blob[] = [];
  for (let offset = 0; offset < size;) {
    const { bytes } = await link.ask(["piece"], "pull", { made, offset });
    const piece = new Blob([...bytes]);
    parts.push(piece);
    offset += piece.size;
  }
  return { name, blob: new Blob(parts, { type }) };
}

/** Take several results as one archive; the browser may keep its parts on the disk. */
export async function packed(link: Link, ids: readonly string[], told: (done: number) => void): Promise<Packed> {
  async function* each(): AsyncGenerator<Packed> {
    for (const [index, id] of ids.entries()) {
      yield await taken(link, id);
      told(index + 1);
    }
  }
  const parts: BlobPart[] = [];
  for await (const part of zipped(each())) parts.push(part);
  return { name: "cutouts.zip", blob: new Blob(parts, { type: "application/zip" }) };
}

/** Hand a file to the person, as a link that is followed. */
export function handedOver({ name, blob }: Packed): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
