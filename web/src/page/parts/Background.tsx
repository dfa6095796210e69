import type { JSX } from "preact";
import { stepOf, type Catalogue } from "../../api/schema";
import type { Entry } from "../../queue/entry";
import { BACKDROPS, backdropOf, withBackdrop, withSetting } from "../../queue/recipes";
import { words } from "../../strings";
import { useApp } from "../app";
import { Folding, Options } from "./controls";
import { Chooser } from "./files";
import { StepForm } from "./StepForm";
import { Steps } from "./Steps";

type Choice = "none" | "white" | "black" | "color" | "picture" | "blur" | "other";

const PLAIN: Readonly<Record<string, Choice>> = { "#ffffff": "white", "#000000": "black" };

/** What lies behind the subject, and what is drawn about it. */
export function Background({ entry, effects }: { readonly entry: Entry; readonly effects: Catalogue }): JSX.Element {
  const { bench } = useApp();
  const t = words.value.panel;
  const recipe = entry.history.value.now;
  const backdrop = backdropOf(recipe);
  const kind = backdrop && effects.get(backdrop.name);
  const set = (name: string, given: Readonly<Record<string, string>> = {}) => {
    const wanted = effects.get(name);
    if (wanted) bench.change(entry, withBackdrop(recipe, stepOf(wanted, given)));
  };
  const choose: Readonly<Record<Choice, () => void>> = {
    none: () => bench.change(entry, withBackdrop(recipe, null)),
    white: () => set("color", { color: "#ffffff" }),
    black: () => set("color", { color: "#000000" }),
    color: () => set("color", { color: "#8fb8de" }),
    blur: () => set("blur"),
    picture: () => undefined,
    other: () => undefined,
  };
  const value = choiceOf(backdrop);
  const offered = (["none", "white", "black", "color", "blur"] as const).filter(
    (name) => name === "none" || effects.has(name === "blur" ? "blur" : "color"),
  );
  const options = offered.map((name) => ({
    value: name,
    label: t.backdrops[name],
    sign: <i class={`swatch ${name}`} />,
  }));
  return (
    <>
      <Options look="tiles" label={t.backdrop} value={value} options={options} onChange={(next) => choose[next]()} />
      {effects.has("behind") && (
        <Chooser look="wide" onFiles={([file]) => file && set("behind", { picture: bench.works.keepAsset(file) })}>
          <i class="swatch picture" />
          {value === "picture" ? `${t.backdrops.picture} ✓` : t.backdrops.picture}
        </Chooser>
      )}
      {backdrop && kind && value !== "white" && value !== "black" && (
        <StepForm
          kind={kind}
          step={backdrop}
          onChange={(key, next) =>
            bench.change(entry, withSetting(recipe, "effects", kind.name, key, next), `${kind.name}.${key}`)
          }
        />
      )}
      <Drawn entry={entry} effects={effects} />
    </>
  );
}

const ABOUT = ["shadow", "outline", "reflection"];
const ELSEWHERE = [...ABOUT, ...BACKDROPS, "trim", "fit"];
const RARE = ["gray-behind", "flatten"];

/** Effects about the subject; what a plug-in brings stands with the rarer ones. */
function Drawn({ entry, effects }: { readonly entry: Entry; readonly effects: Catalogue }): JSX.Element {
  const kinds = [...effects.values()];
  const about = kinds.filter(({ name }) => ABOUT.includes(name));
  const rare = kinds.filter(({ name }) => RARE.includes(name) || !ELSEWHERE.includes(name));
  return (
    <>
      <h3>{words.value.panel.effects}</h3>
      <Steps entry={entry} field="effects" kinds={about} />
      {rare.length > 0 && (
        <Folding summary={words.value.panel.more}>
          <Steps entry={entry} field="effects" kinds={rare} />
        </Folding>
      )}
    </>
  );
}

function choiceOf(step: ReturnType<typeof backdropOf>): Choice {
  if (!step) return "none";
  if (step.name === "color") return PLAIN[String(step.color)] ?? "color";
  if (step.name === "blur") return "blur";
  return step.name === "behind" ? "picture" : "other";
}
