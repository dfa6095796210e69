import type { JSX } from "preact";
import type { Recipe } from "../../api/types";
import type { Entry } from "../../queue/entry";
import { words } from "../../strings";
import { useApp } from "../app";
import { Select } from "./controls";

/** What stands beside the picture as it is now: another model, how it began, or a state that was kept for it. */
export function Rivals({ entry }: { readonly entry: Entry }): JSX.Element {
  const { bench, rival } = useApp();
  const t = words.value.view;
  const { now, past } = entry.history.value;
  const place = bench.works.place.value;
  const mine = now.model ?? place?.service.model;
  const others = (place?.models ?? []).filter(
    ({ name, kind }) => name !== mine && kind !== "trimap" && kind !== "closeup",
  );
  const chosen = rival.value?.entryId === entry.id ? rival.value : null;
  const first = past[0];
  const set = (choice: string, recipe: Recipe) => (rival.value = { entryId: entry.id, choice, recipe });
  const choose = (choice: string) => {
    if (choice === "first" && first) set(choice, first);
    else if (choice.startsWith("model:")) set(choice, { ...now, model: choice.slice(6) });
    else if (choice === "") rival.value = null;
  };
  const options: (readonly [string, string])[] = [
    ["", "–"],
    ...(first ? [["first", t.compareFirst] as const] : []),
    ...(chosen?.choice === "kept" ? [["kept", t.comparePinned] as const] : []),
    ...others.map(({ name }) => [`model:${name}`, t.compareModel(name)] as const),
  ];
  return (
    <div class="bar rivals">
      <span>{t.compareMine}</span>
      <Select label={t.compareWith} value={chosen?.choice ?? ""} options={options} onChange={choose} />
      <button type="button" onClick={() => set("kept", now)}>
        {t.comparePin}
      </button>
      <button type="button" disabled={!chosen} onClick={() => chosen && bench.change(entry, chosen.recipe)}>
        {t.takeB}
      </button>
    </div>
  );
}
