import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { words } from "../../strings";
import { useApp } from "../app";
import { listenToDrops, listenToKeys, listenToLeaving } from "../listen";
import { IconButton } from "./controls";
import { Dialogs } from "./Dialogs";
import { Panel } from "./Panel";
import { Strip } from "./Strip";
import { problemText } from "./telling";
import { TopBar } from "./TopBar";
import { Viewer } from "./Viewer";
import { Welcome } from "./Welcome";

export function Page(): JSX.Element {
  const app = useApp();
  const over = useSignal(false);
  useEffect(() => {
    const ends = [listenToDrops(app, (on) => (over.value = on)), listenToKeys(app), listenToLeaving(app)];
    return () => ends.forEach((end) => end());
  }, [app, over]);
  const chosen = app.bench.chosen.value;
  return (
    <>
      <TopBar />
      <Banners />
      <main id="main" tabIndex={-1} class={chosen ? "work" : "begin"}>
        {chosen ? (
          <>
            <Strip />
            <Viewer entry={chosen} />
            <Panel entry={chosen} />
          </>
        ) : (
          <Welcome />
        )}
      </main>
      {over.value && <p class="dropping">{words.value.welcome.drop}</p>}
      <Notice />
      <Dialogs />
    </>
  );
}

/** What concerns the whole page: the server is away, or pictures from last time are there. */
function Banners(): JSX.Element {
  const app = useApp();
  const t = words.value;
  const trouble = app.trouble.value;
  const found = app.keeper.found.value.length;
  const { keeping } = app.keeper;
  return (
    <>
      {trouble && (
        <div class="banner" role="alert">
          <p>{trouble.code === "offline" ? t.problem.offlineStart : problemText(trouble)}</p>
          <button type="button" onClick={() => void app.begin()}>
            {t.problem.again}
          </button>
        </div>
      )}
      {found > 0 && (
        <div class="banner" role="region" aria-label={t.back.found(found)}>
          <p>{t.back.found(found)}</p>
          <button type="button" class="primary" onClick={() => app.keeper.bringBack()}>
            {t.back.take}
          </button>
          <button type="button" onClick={() => app.keeper.discard()}>
            {t.back.drop}
          </button>
        </div>
      )}
      {(keeping.value === "refused" || keeping.value === "full") && app.bench.entries.value.length > 0 && (
        <p class="banner">{t.back[keeping.value]}</p>
      )}
    </>
  );
}

/** What is said once: shown for a while and read out, without taking the focus. */
function Notice(): JSX.Element {
  const { notice } = useApp();
  const text = notice.value;
  useEffect(() => {
    if (!text) return;
    const timer = setTimeout(() => (notice.value = ""), 8_000);
    return () => clearTimeout(timer);
  }, [text, notice]);
  return (
    <div class="notice" role="status" aria-live="polite" data-shown={text !== ""}>
      {text && (
        <>
          <p>{text}</p>
          <IconButton icon="close" label={words.value.problem.close} onClick={() => (notice.value = "")} />
        </>
      )}
    </div>
  );
}
