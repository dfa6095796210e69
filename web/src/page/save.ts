import { isAbort } from "../api/problem";
import { current, type Entry } from "../queue/entry";
import { distinct, resultName, stemOf } from "../queue/names";
import { zipped, type Packed } from "../queue/zip";
import type { Works } from "./works";

/** How files leave the page. They are the bytes that the server or the worker made; no canvas has touched them. */

/** Hand a file to the browser as a download. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Save one result; gives the name it is saved by. */
export async function saveOne(works: Works, entry: Entry): Promise<string> {
  const { blob } = await works.ready(entry);
  const name = resultName(entry.name, blob.type);
  download(blob, name);
  entry.saved.value = true;
  return name;
}

/** Save what was done to a picture, to be loaded again here or given to the command line. */
export function saveEditList(entry: Entry): void {
  const text = JSON.stringify(entry.history.peek().now, null, 2);
  download(new Blob([text], { type: "application/json" }), `${stemOf(entry.name)}_edits.json`);
}

/**
 * Copy a result to the clipboard, which takes PNG only.
 *
 * @throws DOMException where the browser does not let the page.
 */
export async function copyOne(works: Works, entry: Entry): Promise<void> {
  const made = current(entry)?.result.blob;
  const recipe = entry.history.peek().now;
  const png = async (): Promise<Blob> => {
    if (made?.type === "image/png") return made;
    return (await works.maker.result(entry, { ...recipe, format: "png" })).blob;
  };
  // The promise is handed over as it is: a browser that wants a person's gesture would not wait for it.
  await navigator.clipboard.write([new ClipboardItem({ "image/png": png() })]);
}

/** Whether this browser lets a page copy pictures: it must be at a secure address. */
export function canCopy(): boolean {
  return "clipboard" in navigator && typeof ClipboardItem !== "undefined";
}

/** Let a result be dragged out of the page, into a folder or into another page. */
export function dragOut(event: DragEvent, entry: Entry, url: string): void {
  const blob = current(entry)?.result.blob;
  if (!blob || !event.dataTransfer) {
    event.preventDefault();
    return;
  }
  const name = resultName(entry.name, blob.type);
  event.dataTransfer.effectAllowed = "copy";
  event.dataTransfer.setData("DownloadURL", `${blob.type}:${name}:${url}`);
  event.dataTransfer.items.add(new File([blob], name, { type: blob.type }));
}

interface Sink {
  write(part: Blob | Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

type Picker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;

/**
 * Save all results in one archive, each as soon as it is made.
 *
 * @param onDone told how many are packed.
 * @throws DOMException AbortError where the person stops it.
 */
export async function saveAll(
  works: Works,
  entries: readonly Entry[],
  onDone: (count: number) => void,
  stop: AbortSignal,
): Promise<void> {
  const sink = await sinkFor("cleancut.zip");
  try {
    for await (const part of zipped(packed(works, entries, onDone, stop))) {
      stop.throwIfAborted();
      await sink.write(part);
    }
    await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  for (const entry of entries) entry.saved.value = true;
}

async function* packed(
  works: Works,
  entries: readonly Entry[],
  onDone: (count: number) => void,
  stop: AbortSignal,
): AsyncGenerator<Packed> {
  const taken: string[] = [];
  for (const entry of entries) {
    const { blob } = await works.ready(entry, stop);
    taken.push(resultName(entry.name, blob.type));
    yield { name: distinct(taken).at(-1) ?? entry.id, blob };
    onDone(taken.length);
  }
}

/**
 * Write to a file that the person chooses, where the browser can, so that nothing waits in memory; else gather parts of
 * a Blob, which are references to the results and no copies.
 */
async function sinkFor(name: string): Promise<Sink> {
  const picker = (window as { showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (!picker) return gathering(name);
  try {
    const file = await picker.call(window, { suggestedName: name });
    return await file.createWritable();
  } catch (error) {
    if (isAbort(error) || !(error instanceof DOMException)) throw error;
    return gathering(name); // a page in a frame, or a test, may not open the dialog
  }
}

function gathering(name: string): Sink {
  const parts: BlobPart[] = [];
  return {
    write: (part) => {
      parts.push(part);
      return Promise.resolve();
    },
    close: () => {
      download(new Blob(parts, { type: "application/zip" }), name);
      return Promise.resolve();
    },
    abort: () => {
      parts.length = 0;
      return Promise.resolve();
    },
  };
}
