import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { isLanguage, language, LANGUAGES, percent, words } from "../../strings";
import { useApp } from "../app";
import { loaded } from "../device";
import { remember } from "../storage";
import { setTheme, theme, type Theme } from "../theme";
import { IconButton, Select, Switch } from "./controls";

/** The page's name, where the work is done, and how the page looks and speaks. */
export function TopBar(): JSX.Element {
  const app = useApp();
  const t = words.value.top;
  return (
    <header class="top">
      <a class="skip" href="#main">
        {t.skip}
      </a>
      <p class="mark">
        <span aria-hidden="true" class="logo" />
        cleancut
      </p>
      <Where />
      <div class="row tight end">
        <Select
          label={t.theme}
          hideLabel
          value={theme.value}
          options={Object.entries(t.themes)}
          onChange={(name) => setTheme(name as Theme)}
        />
        <Select
          label={t.language}
          hideLabel
          value={language.value}
          options={Object.entries(LANGUAGES).map(([tag, { language: name }]) => [tag, name])}
          onChange={(tag) => {
            if (!isLanguage(tag)) return;
            language.value = tag;
            remember("language", tag);
          }}
        />
        <IconButton icon="help" label={t.help} onClick={() => (app.dialog.value = "help")} />
      </div>
    </header>
  );
}

/** Where pictures are worked on; only where the browser can do it alone. */
function Where(): JSX.Element | null {
  const app = useApp();
  const { works } = app.bench;
  const t = words.value.device;
  const asked = useSignal(false);
  const place = works.place.value;
  if (!place?.service.local) return null;
  const share = loaded.value;
  return (
    <div class="where">
      <Switch
        label={t.only}
        on={works.deviceOnly.value}
        disabled={!place.server}
        onChange={(on) => {
          asked.value = true;
          app.setDeviceOnly(on);
        }}
      />
      {!works.deviceOnly.value && (
        <Switch label={t.quick} on={works.quickLook.value} onChange={(on) => app.setQuickLook(on)} />
      )}
      {share !== null && share < 1 && <span class="about">{t.loading(percent(share))}</span>}
      {share === 1 && asked.value && <span class="about">{t.ready}</span>}
    </div>
  );
}
