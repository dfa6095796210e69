/** What is done to all pictures: model, background, edge, effects. Every control is read off a schema. */

import { catalogueOf, stepOf, type Catalogue, type StepKind } from "../api/schema";
import type { Recipe, Value } from "../api/types";
import { BACKDROPS, backdropOf, found, switched, withBackdrop, withSetting, type Field } from "../queue/recipes";
import { field, make, readable } from "./dom";
import type { About } from "./kernel";
import { controlOf, select, toggle, type Place } from "./setting";

/** Steps that stand open; the others are folded away. */
const PLAIN: Readonly<Record<Field, readonly string[]>> = {
  refine: ["feather", "threshold", "detail"],
  effects: ["shadow", "outline", "trim"],
};

const NONE = "checkerboard";
const PICTURE = "behind";

export class Panel {
  readonly root = make("div", "cc-panel");
  readonly #effects: Catalogue;
  readonly #refine: Catalogue;
  readonly #place: Place;
  #recipe: Recipe = {};
  #open = new Set<string>();

  /** @param change is called with another recipe whenever a person changes something. */
  constructor(
    private readonly about: About,
    choose: Place["choose"],
    private readonly change: (recipe: Recipe) => void,
  ) {
    this.#effects = catalogueOf(about.effects);
    this.#refine = catalogueOf(about.refine);
    this.#place = { models: about.models, choose };
  }

  /** Show a recipe; what a person is just changing stays under the hand. */
  show(recipe: Recipe): void {
    this.#recipe = recipe;
    this.root.replaceChildren(this.#model(), this.#background(), ...this.#steps("refine", "Edge"),
      ...this.#steps("effects", "Effects"), this.#file()); // prettier-ignore
  }

  /** Take a change of a value, which leaves the controls as they are, or of what there is, which makes them anew. */
  #set(recipe: Recipe, anew: boolean): void {
    this.#recipe = recipe;
    if (anew) this.show(recipe);
    this.change(recipe);
  }

  #model(): HTMLElement {
    const { models, finding } = this.about;
    const now = this.#recipe.model ?? "";
    const offered = models.filter(({ kind }) => finding.includes(kind));
    const options = offered.map(({ name, title, license, here }) => {
      const label = here ? name : `${name} (not downloaded)`;
      return make("option", "", { value: name, title: `${title}. ${license}` }, label);
    });
    if (!offered.some(({ name }) => name === now)) options.unshift(make("option", "", { value: now }, now));
    const chosen = make("select", "", { onchange: () => this.#set({ ...this.#recipe, model: chosen.value }, false) });
    chosen.append(...options);
    chosen.value = now;
    return field("Model", chosen);
  }

  #background(): HTMLElement {
    const step = backdropOf(this.#recipe);
    const names = [NONE, ...BACKDROPS.filter((name) => this.#effects.has(name))];
    const choose = (name: Value): void => {
      if (name === PICTURE) this.#pick();
      else this.#backdrop(name === NONE ? null : String(name));
    };
    const chosen = select(names, step?.name ?? NONE, choose);
    const kind = step && this.#effects.get(step.name);
    return make("fieldset", "", {}, make("legend", "", {}, "Background"), field("Behind the subject", chosen),
      kind ? this.#settings("effects", kind) : null); // prettier-ignore
  }

  #backdrop(name: string | null, given: Readonly<Record<string, Value>> = {}): void {
    const kind = name === null ? null : this.#effects.get(name);
    this.#set(withBackdrop(this.#recipe, kind ? stepOf(kind, given) : null), true);
  }

  /** A picture must be there before a recipe can name it. */
  #pick(): void {
    const input = make("input", "", { type: "file", accept: "image/*" });
    input.onchange = () => {
      const file = input.files?.[0];
      if (file)
        void this.#place.choose(file).then(
          (picture) => this.#backdrop(PICTURE, { picture }),
          () => this.show(this.#recipe), // told where it was chosen
        );
    };
    input.oncancel = () => this.show(this.#recipe);
    input.className = "cc-pick";
    this.root.querySelector("fieldset")?.append(field("Picture", input));
    input.click();
  }

  #steps(list: Field, title: string): readonly HTMLElement[] {
    const kinds = [...this.#catalogue(list).values()].filter(({ name }) => !BACKDROPS.includes(name));
    const plain = kinds.filter(({ name }) => PLAIN[list].includes(name));
    const rare = kinds.filter(({ name }) => !PLAIN[list].includes(name));
    const more = make(
      "details",
      "",
      {},
      make("summary", "", {}, "More"),
      ...rare.map((kind) => this.#step(list, kind)),
    );
    more.open = this.#open.has(list) || rare.some(({ name }) => name !== "auto" && found(this.#recipe, list, name));
    more.ontoggle = () => {
      if (more.open) this.#open.add(list);
      else this.#open.delete(list);
    };
    const legend = make("legend", "", {}, title);
    return [make("fieldset", "", {}, legend, ...plain.map((kind) => this.#step(list, kind)), more)];
  }

  #step(list: Field, kind: StepKind): HTMLElement {
    const step = found(this.#recipe, list, kind.name);
    const turn = (on: Value): void =>
      this.#set(switched(this.#recipe, list, this.#catalogue(list), kind.name, on === true), true);
    const needs = kind.settings.some((setting) => setting.default === null);
    const box = toggle(readable(kind.name), step !== undefined, turn, kind.description);
    if (needs && !step) return this.#needy(list, kind, box);
    return make("div", "cc-step", {}, box, step ? this.#settings(list, kind) : null);
  }

  /** A step with settings that have no default begins once each of them is given. */
  #needy(list: Field, kind: StepKind, box: HTMLElement): HTMLElement {
    const given: Record<string, Value> = {};
    const needed = kind.settings.filter((setting) => setting.default === null);
    const controls = needed.map((setting) =>
      controlOf(setting, undefined, this.#place, (value) => {
        given[setting.name] = value;
        if (Object.keys(given).length < needed.length) return;
        const recipe = { ...this.#recipe, [list]: [...(this.#recipe[list] ?? []), stepOf(kind, given)] };
        this.#set(recipe, true);
      }),
    );
    const inside = make("div", "cc-settings", { hidden: true }, ...controls);
    const check = box.querySelector("input");
    if (check) check.onchange = () => (inside.hidden = !check.checked);
    return make("div", "cc-step", {}, box, inside);
  }

  #settings(list: Field, kind: StepKind): HTMLElement {
    const step = found(this.#recipe, list, kind.name);
    const controls = kind.settings.map((setting) =>
      controlOf(setting, step?.[setting.name], this.#place, (value) =>
        this.#set(withSetting(this.#recipe, list, kind.name, setting.name, value), setting.control.kind === "picture"),
      ),
    );
    return make("div", "cc-settings", {}, ...controls);
  }

  #file(): HTMLElement {
    const chosen = make("select", "", {
      onchange: () => this.#set({ ...this.#recipe, format: chosen.value }, false),
    });
    chosen.append(...this.about.writes.map((value) => make("option", "", { value }, value.toUpperCase())));
    chosen.value = this.#recipe.format ?? "png";
    return field("Files are written as", chosen);
  }

  #catalogue(list: Field): Catalogue {
    return list === "refine" ? this.#refine : this.#effects;
  }
}
