import type { Catalogue } from "../api/schema";
import { stepOf } from "../api/schema";
import type { Recipe, Step, Value } from "../api/types";

/** The lists of steps that a recipe has. */
export type Field = "effects" | "refine";

const TIDY: Step = { name: "auto" };

/**
 * The order in which steps that are switched on are laid into a recipe; what stands in no list comes last.
 * `outline` joins the subject, `trim` and `fit` make room, and a shadow falls on the canvas that is there.
 */
const ORDER: Readonly<Record<Field, readonly string[]>> = {
  effects: ["outline", "trim", "fit", "reflection", "shadow", "gray-behind", "blur", "color", "behind", "flatten"],
  refine: ["auto", "detail", "guided", "matting", "trimap", "opening", "closing", "specks", "holes", "threshold",
    "tighten", "grow", "feather"], // prettier-ignore
};

/** What fills the canvas: a background is one of these, or none. */
export const BACKDROPS: readonly string[] = ["color", "behind", "flatten", "blur", "gray-behind"];

/** What changes the canvas, so that before and after no longer lie on each other. */
const MOVES: readonly string[] = ["trim", "fit"];

export function stepsOf(recipe: Recipe, field: Field): readonly Step[] {
  return recipe[field] ?? (field === "refine" ? [TIDY] : []);
}

export function found(recipe: Recipe, field: Field, name: string): Step | undefined {
  return stepsOf(recipe, field).find((step) => step.name === name);
}

/** Lay a step into a recipe: in place of one of its name, else where its order says. */
export function withStep(recipe: Recipe, field: Field, step: Step): Recipe {
  const steps = stepsOf(recipe, field);
  const at = steps.findIndex((one) => one.name === step.name);
  if (at >= 0) return { ...recipe, [field]: steps.with(at, step) };
  const rank = (name: string) => ORDER[field].indexOf(name) + 1 || Infinity;
  const before = steps.findIndex((one) => rank(one.name) > rank(step.name));
  return { ...recipe, [field]: steps.toSpliced(before < 0 ? steps.length : before, 0, step) };
}

export function without(recipe: Recipe, field: Field, names: readonly string[]): Recipe {
  return { ...recipe, [field]: stepsOf(recipe, field).filter((step) => !names.includes(step.name)) };
}

/** Put one background in place of whatever there is; null takes it away. */
export function withBackdrop(recipe: Recipe, step: Step | null): Recipe {
  const bare = without(recipe, "effects", BACKDROPS);
  return step ? withStep(bare, "effects", step) : bare;
}

export function backdropOf(recipe: Recipe): Step | null {
  return stepsOf(recipe, "effects").findLast((step) => BACKDROPS.includes(step.name)) ?? null;
}

export function switched(recipe: Recipe, field: Field, catalogue: Catalogue, name: string, on: boolean): Recipe {
  const kind = catalogue.get(name);
  if (!on || !kind) return without(recipe, field, [name]);
  return withStep(recipe, field, stepOf(kind));
}

export function withSetting(recipe: Recipe, field: Field, name: string, key: string, value: Value): Recipe {
  const step = found(recipe, field, name);
  return step ? withStep(recipe, field, { ...step, [key]: value }) : recipe;
}

/** The recipe without its effects: what a person who corrects the edge wants to see, on the source's own canvas. */
export function bare(recipe: Recipe): Recipe {
  return { ...recipe, effects: [] };
}

export function movesCanvas(recipe: Recipe): boolean {
  return stepsOf(recipe, "effects").some((step) => MOVES.includes(step.name));
}

/** Take what a preset states, and leave what was corrected by hand. */
export function withPreset(recipe: Recipe, preset: Recipe): Recipe {
  const { format, quality, ...kept } = recipe;
  const { effects = [], format: file, quality: fine } = preset;
  return {
    ...kept,
    effects,
    ...(file === undefined ? {} : { format: file }),
    ...(fine === undefined ? {} : { quality: fine }),
  };
}

/** Take everything but the corrections of another picture, which mean nothing on this one. */
export function withSettingsOf(recipe: Recipe, other: Recipe): Recipe {
  const { strokes, ...settings } = other;
  return recipe.strokes ? { ...settings, strokes: recipe.strokes } : settings;
}

/** Names of the pictures that a recipe needs. */
export function assetNames(recipe: Recipe, catalogue: Catalogue): readonly string[] {
  const named = stepsOf(recipe, "effects").flatMap((step) => {
    const settings = catalogue.get(step.name)?.settings ?? [];
    return settings.filter(({ control }) => control.kind === "picture").map(({ name }) => String(step[name] ?? ""));
  });
  return [...new Set(named)].filter(Boolean);
}
