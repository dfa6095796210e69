import type { Recipe } from "../api/types";
import type { History } from "../queue/history";

/** What the browser keeps for next time. It may refuse any of it: then the page works on, and says so. */

/** Read a choice that was remembered; null where there is none, or none may be kept. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`cleancut.${name}`);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

/** Remember a choice, where that is allowed; it is a comfort, so a refusal is not worth a word. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`cleancut.${name}`, value);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

/** A key that is kept until the tab is closed. */
export function keyOfTab(): string {
  try {
    return sessionStorage.getItem("cleancut.key") ?? "";
  } catch (error) {
    if (error instanceof DOMException) return "";
    throw error;
  }
}

export function keepKey(key: string): void {
  try {
    sessionStorage.setItem("cleancut.key", key);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

/** A picture as it was handed in. */
export interface KeptPicture {
  readonly id: string;
  readonly order: number;
  readonly name: string;
  readonly file: Blob | null;
  readonly url: string;
  readonly type: string;
  readonly size: readonly [number, number] | null;
}

/** Every edit of a picture, and the pictures that they name. */
export interface KeptEdits {
  readonly id: string;
  readonly history: History;
  readonly assets: readonly (readonly [string, Blob])[];
}

export type KeptEntry = KeptPicture & KeptEdits;

/** Pictures lie apart from their edits: a stroke must not write twelve megapixels again. */
export interface Shelf {
  putPicture(picture: KeptPicture): Promise<void>;
  putEdits(edits: KeptEdits): Promise<void>;
  delete(id: string): Promise<void>;
  all(): Promise<readonly KeptEntry[]>;
}

const PICTURES = "pictures";
const EDITS = "edits";

/**
 * Open the shelf in IndexedDB.
 *
 * @throws DOMException where the browser refuses to store anything.
 */
export async function openShelf(name = "cleancut"): Promise<Shelf> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => {
    for (const store of [PICTURES, EDITS]) opening.result.createObjectStore(store, { keyPath: "id" });
  };
  const database = await settled(opening);
  const store = (of: string, mode: IDBTransactionMode = "readwrite") => database.transaction(of, mode).objectStore(of);
  return {
    putPicture: (picture) => written(store(PICTURES).put(picture)),
    putEdits: (edits) => written(store(EDITS).put(edits)),
    delete: async (id) => {
      await Promise.all([PICTURES, EDITS].map((of) => settled(store(of).delete(id))));
    },
    all: async () => {
      const edits = (await settled(store(EDITS, "readonly").getAll())) as readonly KeptEdits[];
      const pictures = (await settled(store(PICTURES, "readonly").getAll())) as readonly KeptPicture[];
      const byId = new Map(edits.map((one) => [one.id, one]));
      const whole = pictures.flatMap((picture) => {
        const edit = byId.get(picture.id);
        return edit ? [{ ...picture, ...edit }] : [];
      });
      return whole.sort((a, b) => a.order - b.order);
    },
  };
}

async function written(request: IDBRequest): Promise<void> {
  await settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new DOMException("Refused.", "UnknownError"));
  });
}

/** An edit list is a recipe as JSON; what is none is null. */
export function readEditList(text: string): Recipe | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Recipe) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
