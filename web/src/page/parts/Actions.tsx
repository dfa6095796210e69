import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { isAbort } from "../../api/problem";
import { current, type Entry } from "../../queue/entry";
import { words } from "../../strings";
import { useApp } from "../app";
import { canCopy, copyOne, dragOut, saveAll, saveOne } from "../save";
import { Icon } from "./icons";

/** The ways out of the page. */
export function Actions({ entry }: { readonly entry: Entry }): JSX.Element {
  const app = useApp();
  const { works, entries } = app.bench;
  const t = words.value.save;
  const made = entry.made.value;
  const busy = useSignal(false);
  const save = () => void app.told(async () => {
    busy.value = true;
    await saveOne(works, entry).then((name) => (app.notice.value = t.saved(name))).finally(() => (busy.value = false));
  }); // prettier-ignore
  const copy = () =>
    void app.told(async () => {
      try {
        await copyOne(works, entry);
        app.notice.value = t.copied;
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        app.notice.value = t.copyFailed;
      }
    });
  return (
    <div class="actions">
      <div class="row">
        <button type="button" class="primary grow" disabled={!made || busy.value} aria-busy={busy.value} onClick={save}>
          <Icon name="download" />
          {t.one}
        </button>
        {canCopy() && (
          <button type="button" disabled={!made} onClick={copy}>
            <Icon name="copy" />
            {t.copy}
          </button>
        )}
      </div>
      {made?.where === "device" && works.place.value?.server && !works.deviceOnly.value && (
        <button type="button" class="wide" onClick={() => works.make(entry)}>
          {t.full}
        </button>
      )}
      {entries.value.length > 1 && <Everything />}
      <Handle entry={entry} />
    </div>
  );
}

/** All results in one archive; it waits for those that are not made yet. */
function Everything(): JSX.Element | null {
  const app = useApp();
  const { entries, works } = app.bench;
  const t = words.value.save;
  const packed = useSignal<number | null>(null);
  const stop = useSignal<AbortController | null>(null);
  const ready = useComputed(() => entries.value.filter(({ made }) => made.value !== null)).value;
  if (ready.length < 2) return null;
  const pack = () =>
    void app.told(async () => {
      const stopping = new AbortController();
      stop.value = stopping;
      packed.value = 0;
      try {
        await saveAll(works, ready, (count) => (packed.value = count), stopping.signal);
        app.notice.value = t.saved("cleancut.zip");
      } catch (error) {
        if (!isAbort(error)) throw error;
      } finally {
        packed.value = null;
      }
    });
  if (packed.value === null) {
    return (
      <button type="button" class="wide" onClick={pack}>
        {t.all(ready.length)}
      </button>
    );
  }
  return (
    <div class="row">
      <progress max={ready.length} value={packed.value} aria-label={t.packing(packed.value, ready.length)} />
      <span class="about">{t.packing(packed.value, ready.length)}</span>
      <button type="button" onClick={() => stop.value?.abort()}>
        {t.stop}
      </button>
    </div>
  );
}

/** The result as something to take hold of. Who has no pointer has the buttons above. */
function Handle({ entry }: { readonly entry: Entry }): JSX.Element | null {
  const blob = current(entry)?.result.blob;
  const url = useSignal("");
  useEffect(() => {
    if (!blob) return;
    const made = URL.createObjectURL(blob);
    url.value = made;
    return () => {
      url.value = "";
      URL.revokeObjectURL(made);
    };
  }, [blob, url]);
  if (!blob || !url.value) return null;
  return (
    <div class="handle" draggable onDragStart={(event) => dragOut(event, entry, url.value)}>
      <img src={url.value} alt="" draggable={false} />
      <span>{words.value.save.drag}</span>
    </div>
  );
}
