import { effect, signal } from "@preact/signals";
import { language, preferred, words } from "../strings";
import { isLanguage } from "../strings";
import { remember, remembered } from "./storage";

export type Theme = "auto" | "light" | "dark";

export const theme = signal<Theme>("auto");

export function setTheme(name: Theme): void {
  theme.value = name;
  remember("theme", name);
}

/** Take up what was chosen last time, and keep the document's language, direction and colours as they are chosen. */
export function dress(root: HTMLElement): void {
  const kept = remembered("language") ?? "";
  language.value = isLanguage(kept) ? kept : preferred(navigator.languages);
  const shade = remembered("theme");
  theme.value = shade === "light" || shade === "dark" ? shade : "auto";
  effect(() => {
    root.lang = language.value;
    root.dir = words.value.dir;
    root.dataset.theme = theme.value;
  });
}
