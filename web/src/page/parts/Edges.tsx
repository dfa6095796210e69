import type { JSX } from "preact";
import type { Catalogue } from "../../api/schema";
import type { Recipe } from "../../api/types";
import type { Entry } from "../../queue/entry";
import { words } from "../../strings";
import { useApp } from "../app";
import { Folding, Select, Switch } from "./controls";
import { OneStep, Steps } from "./Steps";
import { Tools } from "./Tools";

/** Kinds of models that find a subject by themselves; the others refine what these found. */
const FINDING = new Set(["salient", "keying", "recurrent"]);

/** The refinements that everyone understands, in the order they are offered; the rest is folded away. */
const PLAIN = ["tighten", "grow", "feather", "threshold"];
const NAMED_ELSEWHERE = ["detail"];

/** Which model looks, how its edge is refined, and what a person says about it by hand. */
export function Edges({ entry, refine }: { readonly entry: Entry; readonly refine: Catalogue }): JSX.Element {
  const t = words.value.panel;
  const kinds = [...refine.values()];
  const plain = PLAIN.flatMap((name) => refine.get(name) ?? []);
  const rest = kinds.filter(({ name }) => !PLAIN.includes(name) && !NAMED_ELSEWHERE.includes(name));
  const hair = refine.get("detail");
  return (
    <>
      <Tools entry={entry} />
      <h3>{t.edges}</h3>
      <ModelChoice entry={entry} />
      {hair && <OneStep entry={entry} field="refine" kind={hair} label={t.hair} />}
      <Clean entry={entry} />
      <Steps entry={entry} field="refine" kinds={plain} />
      <Folding summary={t.more}>
        <Steps entry={entry} field="refine" kinds={rest} />
      </Folding>
    </>
  );
}

function ModelChoice({ entry }: { readonly entry: Entry }): JSX.Element | null {
  const { bench } = useApp();
  const t = words.value.panel;
  const place = bench.works.place.value;
  const models = (place?.models ?? []).filter(({ kind }) => FINDING.has(kind));
  if (!place || models.length < 2) return null;
  const recipe = entry.history.value.now;
  const usual = place.service.model;
  const options = models.map(({ name, commercial }): [string, string] => {
    const shown = name === usual ? t.modelDefault(name) : name;
    return [name, commercial ? shown : `${shown}, ${t.noncommercial}`];
  });
  return (
    <Select
      label={t.model}
      value={recipe.model ?? usual}
      options={options}
      onChange={(model) => bench.change(entry, { ...recipe, model })}
    />
  );
}

/** How the colour of soft edges is made, as two switches instead of three words. */
function Clean({ entry }: { readonly entry: Entry }): JSX.Element {
  const { bench } = useApp();
  const t = words.value.panel;
  const recipe = entry.history.value.now;
  const way = recipe.foreground ?? "pyramid";
  const set = (foreground: NonNullable<Recipe["foreground"]>) => bench.change(entry, { ...recipe, foreground });
  return (
    <>
      <Switch label={t.clean} on={way !== "source"} onChange={(on) => set(on ? "pyramid" : "source")} />
      {way !== "source" && (
        <Switch label={t.cleanMore} on={way === "multilevel"} onChange={(on) => set(on ? "multilevel" : "pyramid")} />
      )}
    </>
  );
}
