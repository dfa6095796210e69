import type { Catalogue } from "../api/schema";
import { stepOf } from "../api/schema";
import type { Recipe, Step } from "../api/types";
import { canonical } from "../queue/history";
import told from "./presets.json";

/** Recipes for shops and other places, by name; those that the command line has too are the same there. */
export const PRESETS: Readonly<Record<string, Recipe>> = told;

/** A preset with every setting stated, as far as the server knows its effects. */
export function presetOf(name: string, effects: Catalogue): Recipe | null {
  const preset = PRESETS[name];
  return preset ? { ...preset, effects: completed(preset.effects ?? [], effects) } : null;
}

/** The preset whose effects and file a recipe has; "" where it has none's. */
export function presetIn(recipe: Recipe, effects: Catalogue): string {
  const part = ({ effects: steps, format, quality }: Recipe) => canonical([steps ?? [], format, quality]);
  const mine = part({ ...recipe, effects: completed(recipe.effects ?? [], effects) });
  return Object.keys(PRESETS).find((name) => part(presetOf(name, effects) ?? {}) === mine) ?? "";
}

function completed(steps: readonly Step[], effects: Catalogue): readonly Step[] {
  return steps.map((step) => {
    const kind = effects.get(step.name);
    return kind ? { ...stepOf(kind, step), ...step } : step;
  });
}
