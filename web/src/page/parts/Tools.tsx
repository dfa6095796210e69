import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Brush, Tool } from "../../canvas/types.ts";
import type { Entry } from "../../queue/entry";
import { words } from "../../strings";
import { useApp } from "../app";
import { Slider, Switch } from "./controls";
import { Icon, type IconName } from "./icons";

type Choice = "keep" | "remove" | "eraser" | "lasso" | "box" | "pan";

interface Offer {
  readonly name: Choice;
  readonly tool: Tool;
  readonly keep?: boolean;
}

const OFFERS: readonly Offer[] = [
  { name: "keep", tool: "brush", keep: true },
  { name: "remove", tool: "brush", keep: false },
  { name: "eraser", tool: "eraser" },
  { name: "lasso", tool: "lasso" },
  { name: "box", tool: "box" },
  { name: "pan", tool: "pan" },
];

interface Held {
  readonly tool: Tool;
  readonly brush: Brush;
}

/** What is in the hand, as the stage tells it: keys on the stage change it too. */
function useHeld(): Signal<Held | null> {
  const { stage } = useApp();
  const held = useSignal<Held | null>(null);
  const shown = stage.value;
  useEffect(() => {
    if (!shown) return;
    held.value = { tool: shown.tool, brush: shown.brush };
    return shown.on("tool", (told) => (held.value = told));
  }, [shown, held]);
  return held;
}

/** Brushes, lasso and box, and what they are set to. */
export function Tools({ entry }: { readonly entry: Entry }): JSX.Element {
  const { bench, stage } = useApp();
  const held = useHeld().value;
  const t = words.value.tools;
  const { now } = entry.history.value;
  const strokes = now.strokes ?? [];
  if (bench.works.deviceOnly.value) return <p class="about">{t.server}</p>;
  if ("url" in entry.source) return <p class="about">{words.value.view.noSource}</p>;
  const take = ({ tool, keep }: Offer) => {
    stage.value?.setTool(tool);
    if (keep !== undefined) stage.value?.setBrush({ keep });
  };
  return (
    <>
      <h3>{t.heading}</h3>
      <p class="about">{t.lead}</p>
      <div class="tools" role="group" aria-label={t.heading}>
        {OFFERS.map(
          (offer) =>
          <ToolButton key={offer.name} icon={offer.name} label={t[offer.name]} on={isHeld(held, offer)}
            onClick={() => take(offer)} />, // prettier-ignore
        )}
      </div>
      {held && <BrushSettings brush={held.brush} />}
      <div class="row">
        <span class="about">{t.marks(strokes.length)}</span>
        <button
          type="button"
          disabled={strokes.length === 0}
          onClick={() => bench.change(entry, { ...now, strokes: [] })}
        >
          {t.clear}
        </button>
      </div>
    </>
  );
}

/** Lasso and box mark what to keep or remove too, by what the brush was last set to. */
function isHeld(held: Held | null, { tool, keep }: Offer): boolean {
  return held?.tool === tool && (keep === undefined || held.brush.keep === keep);
}

interface ToolButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly on: boolean;
  readonly onClick: () => void;
}

function ToolButton({ icon, label, on, onClick }: ToolButtonProps): JSX.Element {
  return (
    <button type="button" class={`tool ${icon}`} aria-pressed={on} onClick={onClick}>
      <Icon name={icon} />
      {label}
    </button>
  );
}

function BrushSettings({ brush }: { readonly brush: Brush }): JSX.Element {
  const { stage } = useApp();
  const t = words.value.tools;
  const set = (change: Partial<Brush>) => stage.value?.setBrush(change);
  return (
    <div class="settings">
      <Slider
        label={t.size}
        unit="%"
        value={Number((brush.radius * 200).toFixed(1))}
        low={0.2}
        high={50}
        onInput={(size) => set({ radius: size / 200 })}
      />{" "}
      {/* prettier-ignore */}
      <Slider label={t.hardness} unit="%" value={Math.round(brush.hardness * 100)} low={10} high={100} whole
        onInput={(share) => set({ hardness: share / 100 })} />{" "}
      {/* prettier-ignore */}
      <Switch label={t.pressure} on={brush.pressure} onChange={(pressure) => set({ pressure })} />
    </div>
  );
}
