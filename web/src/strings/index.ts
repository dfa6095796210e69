import { computed, signal } from "@preact/signals";
import { ar } from "./ar";
import { de } from "./de";
import { en, type Strings } from "./en";

export type { Strings } from "./en";

/** Every language there is, by its tag (BCP 47). */
export const LANGUAGES = { en, de, ar } as const satisfies Readonly<Record<string, Strings>>;

export type Language = keyof typeof LANGUAGES;

export const language = signal<Language>("en");

/** The words of the language that is chosen. */
export const words = computed<Strings>(() => LANGUAGES[language.value]);

export function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(LANGUAGES, tag);
}

/** The first language of a person's that there is; English where there is none. */
export function preferred(tags: readonly string[]): Language {
  const known = tags.map((tag) => tag.toLowerCase().split("-")[0] ?? "").find(isLanguage);
  return known ?? "en";
}

const formatted = (options: Intl.NumberFormatOptions) => {
  const format = computed(() => new Intl.NumberFormat(language.value, options));
  return (value: number) => format.value.format(value);
};

/** A share from 0 to 1 as a percentage. */
export const percent = formatted({ style: "percent" });

const number = formatted({ maximumSignificantDigits: 3 });

/** A number of bytes for people. */
export function bytes(count: number): string {
  return count < 1e6 ? `${number(count / 1e3)} kB` : `${number(count / 1e6)} MB`;
}

/** A number of pixels for people. */
export function megapixels(count: number): string {
  return `${number(count / 1e6)} MP`;
}

/** A step, setting or word as the page calls it; what a plug-in brings goes by its own name. */
export function named(table: Readonly<Record<string, string>>, name: string): string {
  return table[name] ?? name.replaceAll(/[-_]/g, " ").replace(/^./, (first) => first.toUpperCase());
}
