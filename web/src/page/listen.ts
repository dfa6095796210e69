import type { App } from "./app";
import { saveOne } from "./save";
import { filesIn } from "./parts/files";

/** What the page hears wherever it happens. Each gives what ends it. */

/** Files dropped anywhere, or pasted. */
export function listenToDrops(app: App, over: (on: boolean) => void): () => void {
  const add = (event: Event, files: readonly File[]) => {
    if (files.length === 0) return;
    event.preventDefault();
    void app.told(() => app.bench.add(files));
  };
  let depth = 0;
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  return heard(window, {
    dragenter: (event) => {
      if (hasFiles(event)) over(++depth > 0);
    },
    dragleave: (event) => {
      if (hasFiles(event)) over((depth = Math.max(0, depth - 1)) > 0);
    },
    dragover: (event) => {
      if (hasFiles(event)) event.preventDefault();
    },
    drop: (event) => {
      depth = 0;
      over(false);
      add(event, filesIn(event.dataTransfer));
    },
    paste: (event) => add(event, filesIn(event.clipboardData)),
  });
}

/** Keys with Ctrl or ⌘ only, and those that write nothing: a page must leave single letters alone (WCAG 2.1.4). */
export function listenToKeys(app: App): () => void {
  const { bench } = app;
  const withEntry = (act: (entry: NonNullable<typeof bench.chosen.value>) => void) => () => {
    const entry = bench.chosen.peek();
    if (entry) act(entry);
  };
  const acts: Readonly<Record<string, () => void>> = {
    "mod+z": withEntry((entry) => bench.undo(entry)),
    "mod+shift+z": withEntry((entry) => bench.redo(entry)),
    "mod+y": withEntry((entry) => bench.redo(entry)),
    "mod+s": withEntry((entry) => void app.told(() => saveOne(bench.works, entry))),
    "mod+o": () => document.querySelector<HTMLInputElement>("input[type=file][multiple]")?.click(),
    pagedown: () => bench.step(1),
    pageup: () => bench.step(-1),
  };
  return heard(window, {
    keydown: (event) => {
      const mod = event.ctrlKey || event.metaKey ? "mod+" : "";
      const act = acts[`${mod}${event.shiftKey ? "shift+" : ""}${event.key.toLowerCase()}`];
      if (!act || event.altKey || app.dialog.peek() !== "none" || (isWriting(event.target) && event.key !== "s"))
        return;
      event.preventDefault();
      act();
    },
  });
}

function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLInputElement)) return false;
  return ["text", "url", "number", "password"].includes(target.type);
}

/** Ask before work is lost, and go on when the network or the tab comes back. */
export function listenToLeaving(app: App): () => void {
  const { bench, keeper } = app;
  const lost = () => {
    if (bench.works.queue.unfinished.peek() > 0) return true;
    const kept = keeper.keeping.peek() === "kept";
    return !kept && bench.entries.peek().some(({ made, saved }) => made.peek() !== null && !saved.peek());
  };
  const wake = () => bench.works.queue.wake();
  return heard(window, {
    beforeunload: (event) => {
      if (lost()) event.preventDefault();
    },
    online: wake,
    pageshow: wake,
  });
}

type Heard = { readonly [Name in keyof WindowEventMap]?: (event: WindowEventMap[Name]) => void };

function heard(target: Window, listeners: Heard): () => void {
  const pairs = Object.entries(listeners) as [string, EventListener][];
  for (const [name, listener] of pairs) target.addEventListener(name, listener);
  return () => pairs.forEach(([name, listener]) => target.removeEventListener(name, listener));
}
