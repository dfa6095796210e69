import type { JSX } from "preact";
import type { Catalogue } from "../../api/schema";
import type { Recipe } from "../../api/types";
import type { Entry } from "../../queue/entry";
import { withPreset } from "../../queue/recipes";
import { named, words } from "../../strings";
import { useApp } from "../app";
import { PRESETS, presetIn, presetOf } from "../presets";
import { saveEditList } from "../save";
import { readEditList } from "../storage";
import { Select, Slider, Switch } from "./controls";
import { Chooser } from "./files";
import { Steps } from "./Steps";

const CANVAS = ["trim", "fit"];
const LOSSY = new Set(["webp", "avif", "jpeg"]);
const USUAL_QUALITY = 90;

/** Size and format of what is saved, presets, and the list of edits. */
export function FileTab({ entry, effects }: { readonly entry: Entry; readonly effects: Catalogue }): JSX.Element {
  const t = words.value.panel;
  const kinds = CANVAS.flatMap((name) => effects.get(name) ?? []);
  return (
    <>
      <Presets entry={entry} effects={effects} />
      {kinds.length > 0 && <h3>{t.canvas}</h3>}
      <Steps entry={entry} field="effects" kinds={kinds} />
      <h3>{t.file}</h3>
      <Format entry={entry} />
      <h3>{t.editList}</h3>
      <EditList entry={entry} />
    </>
  );
}

function Presets({ entry, effects }: { readonly entry: Entry; readonly effects: Catalogue }): JSX.Element | null {
  const { bench } = useApp();
  const t = words.value;
  if (!CANVAS.every((name) => effects.has(name))) return null;
  const recipe = entry.history.value.now;
  const options = Object.keys(PRESETS).map((name): [string, string] => [name, named(t.presets, name)]);
  return (
    <Select
      label={t.panel.preset}
      value={presetIn(recipe, effects)}
      options={[["", t.panel.presetNone], ...options]}
      onChange={(name) => bench.change(entry, withPreset(recipe, presetOf(name, effects) ?? {}))}
    />
  );
}

function Format({ entry }: { readonly entry: Entry }): JSX.Element {
  const { bench } = useApp();
  const t = words.value.panel;
  const recipe = entry.history.value.now;
  const writes = bench.works.place.value?.service.writes ?? ["png"];
  const format = recipe.format ?? "png";
  const { quality, ...unstated } = recipe;
  const set = (changed: Recipe, gesture = "") => bench.change(entry, changed, gesture);
  return (
    <>
      <Select
        label={t.format}
        value={format}
        options={writes.map((name) => [name, name.toUpperCase()])}
        onChange={(next) => set({ ...(LOSSY.has(next) ? recipe : unstated), format: next })}
      />
      {format === "webp" && (
        <Switch
          label={t.lossless}
          on={quality === undefined}
          onChange={(on) => set(on ? unstated : { ...recipe, quality: USUAL_QUALITY })}
        />
      )}
      {LOSSY.has(format) && !(format === "webp" && quality === undefined) && (
        <Slider
          label={t.quality}
          value={quality ?? USUAL_QUALITY}
          low={1}
          high={100}
          whole
          onInput={(next) => set({ ...recipe, quality: next }, "quality")}
        />
      )}
      <Switch
        label={t.metadata}
        on={recipe.keep_metadata === true}
        onChange={(on) => set({ ...recipe, keep_metadata: on })}
      />
    </>
  );
}

function EditList({ entry }: { readonly entry: Entry }): JSX.Element {
  const app = useApp();
  const t = words.value.panel;
  const load = async (file: File) => {
    const recipe = readEditList(await file.text());
    if (recipe) app.bench.change(entry, recipe);
    else app.notice.value = t.editBad;
  };
  return (
    <div class="row">
      <button type="button" onClick={() => saveEditList(entry)}>
        {t.editSave}
      </button>
      <Chooser accept=".json,application/json" onFiles={([file]) => file && void load(file)}>
        {t.editLoad}
      </Chooser>
      <button type="button" class="quiet" onClick={() => app.bench.change(entry, {})}>
        {t.reset}
      </button>
    </div>
  );
}
