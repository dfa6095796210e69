/** Elements, made in one line each. */

type Child = Node | string | null | false;

/** What an element is given: properties of its own, `class`, `data-…` and `aria-…`, and listeners as `onclick`. */
type Given<E> = Partial<Omit<E, "style" | "dataset">> & Readonly<Record<`aria-${string}`, string>>;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  given: Partial<Given<HTMLElementTagNameMap[K]>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (name.startsWith("aria-")) element.setAttribute(name, String(value));
    else Object.assign(element, { [name]: value });
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

export function button(label: string, onclick: () => void, className = "", title = ""): HTMLButtonElement {
  return make("button", className, { type: "button", title, onclick }, label);
}

/** A name of the code as people read it: "gray-behind" is "Gray behind". */
export function readable(name: string): string {
  const words = name.replaceAll(/[-_]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

let labelled = 0;

/** An id that nothing else on the page has. */
export function newId(): string {
  return `cleancut-${Math.random().toString(36).slice(2, 8)}-${labelled++}`;
}

/** A label over a control. */
export function field(label: string, control: HTMLElement, beside: Child = null): HTMLElement {
  control.id ||= newId();
  return make("div", "cc-field", {}, make("label", "", { htmlFor: control.id }, label), control, beside);
}
