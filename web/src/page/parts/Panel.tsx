import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { Entry } from "../../queue/entry";
import { words } from "../../strings";
import { useApp } from "../app";
import type { Tab } from "../looks";
import { Actions } from "./Actions";
import { Background } from "./Background";
import { Edges } from "./Edges";
import { FileTab } from "./FileTab";
import { Rating } from "./Rating";

const TABS: readonly Tab[] = ["background", "edges", "file"];

/** Everything that is set for a picture, and the buttons that take it home. */
export function Panel({ entry }: { readonly entry: Entry }): JSX.Element {
  const { bench, looks } = useApp();
  const t = words.value.panel;
  const tab = looks.tab.value;
  return (
    <aside class="panel" aria-label={t.tabsLabel}>
      <h2 class="unseen">{t.tabsLabel}</h2>
      <Tabs />
      <div class="sheet" role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`} tabIndex={0}>
        <Sheet entry={entry} tab={tab} />
        {bench.entries.value.length > 1 && !bench.works.deviceOnly.value && (
          <button type="button" class="wide" onClick={() => bench.spread(entry)}>
            {t.all}
          </button>
        )}
      </div>
      <div class="leave">
        <Actions entry={entry} />
        <Rating entry={entry} />
      </div>
    </aside>
  );
}

function Sheet({ entry, tab }: { readonly entry: Entry; readonly tab: Tab }): JSX.Element {
  const { works } = useApp().bench;
  const catalogues = works.place.value?.catalogues;
  if (works.deviceOnly.value || !catalogues) return <p class="about">{words.value.tools.server}</p>;
  switch (tab) {
    case "background":
      return <Background entry={entry} effects={catalogues.effects} />;
    case "edges":
      return <Edges entry={entry} refine={catalogues.refine} />;
    case "file":
      return <FileTab entry={entry} effects={catalogues.effects} />;
  }
}

/** Tabs as the ARIA Authoring Practices describe them: one stop, arrow keys go between them. */
function Tabs(): JSX.Element {
  const { looks } = useApp();
  const t = words.value.panel;
  const list = useRef<HTMLDivElement>(null);
  const go = (event: KeyboardEvent) => {
    const forward = words.value.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: -1, [forward]: 1 };
    const by = steps[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(looks.tab.peek()) + by + TABS.length) % TABS.length];
    if (!next) return;
    looks.tab.value = next;
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={t.tabsLabel} ref={list} onKeyDown={go}>
      {TABS.map((tab) => {
        const on = looks.tab.value === tab;
        return (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`tab-${tab}`}
            aria-selected={on}
            tabIndex={on ? 0 : -1}
            aria-controls={on ? `panel-${tab}` : undefined}
            onClick={() => (looks.tab.value = tab)}
          >
            {" "}
            {/* prettier-ignore */}
            {t.tabs[tab]}
          </button>
        );
      })}
    </div>
  );
}
