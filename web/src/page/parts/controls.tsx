import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { Icon, type IconName } from "./icons";

interface Button {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
}

/** A button that shows a sign only; its name is told to those who do not see it, and shown when pointed at. */
export function IconButton({ icon, label, onClick, disabled, pressed }: Button): JSX.Element {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      onClick={onClick}
      disabled={disabled ?? false}
      aria-pressed={pressed}
    >
      {" "}
      {/* prettier-ignore */}
      <Icon name={icon} />
    </button>
  );
}

interface Options<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string; readonly sign?: JSX.Element }[];
  readonly onChange: (value: T) => void;
  readonly look?: "segments" | "tiles";
  readonly hideLabel?: boolean;
  readonly disabled?: boolean;
}

/** One of a few, all in sight. Radios underneath, so that arrow keys work as everywhere. */
export function Options<T extends string>(props: Options<T>): JSX.Element {
  const name = useId();
  return (
    <fieldset class={`options ${props.look ?? "segments"}`} disabled={props.disabled ?? false}>
      <legend class={props.hideLabel ? "unseen" : undefined}>{props.label}</legend>
      <div>
        {props.options.map(({ value, label, sign }) => (
          <label key={value}>
            <input
              type="radio"
              name={name}
              value={value}
              checked={value === props.value}
              onChange={() => props.onChange(value)}
            />
            <span>
              {sign}
              {label}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface Select {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly onChange: (value: string) => void;
  readonly hideLabel?: boolean;
}

export function Select({ label, value, options, onChange, hideLabel }: Select): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id} class={hideLabel ? "unseen" : undefined}>
        {label}
      </label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key} selected={key === value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface Switch {
  readonly label: string;
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
  readonly about?: string;
  readonly disabled?: boolean;
}

export function Switch({ label, on, onChange, about, disabled }: Switch): JSX.Element {
  const id = useId();
  return (
    <div class="switch">
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={on}
        disabled={disabled ?? false}
        aria-describedby={about ? `${id}-about` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {about && (
        <p id={`${id}-about`} class="about">
          {about}
        </p>
      )}
    </div>
  );
}

interface Slider {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly whole?: boolean;
  readonly unit?: string;
  readonly onInput: (value: number) => void;
}

const NOTCHES = 1000;

/** A slider and a number beside it. Long ranges are stretched at their low end, where a little makes a difference. */
export function Slider({ label, value, low, high, whole, unit, onInput }: Slider): JSX.Element {
  const id = useId();
  const power = low >= 0 && high - low >= 20 ? 2 : 1;
  const digits = whole ? 0 : high - low > 20 ? 1 : 2;
  const fitted = (given: number) => Number(Math.min(high, Math.max(low, given)).toFixed(digits));
  const place = Math.round(((value - low) / (high - low)) ** (1 / power) * NOTCHES);
  const named = unit ? `${label} (${unit})` : label;
  return (
    <div class="field slider">
      <label for={id}>{named}</label>
      <input
        type="range"
        min={0}
        max={NOTCHES}
        value={place}
        aria-label={named}
        aria-valuetext={`${value} ${unit ?? ""}`}
        onInput={(event) =>
          onInput(fitted(low + (high - low) * (event.currentTarget.valueAsNumber / NOTCHES) ** power))
        }
      />
      <input
        id={id}
        type="number"
        min={low}
        max={high}
        step={10 ** -digits}
        value={value}
        onChange={(event) => {
          const given = event.currentTarget.valueAsNumber;
          if (Number.isFinite(given)) onInput(fitted(given));
        }}
      />
    </div>
  );
}

interface Folding {
  readonly summary: string;
  readonly children: ComponentChildren;
  readonly open?: boolean;
}

export function Folding({ summary, children, open }: Folding): JSX.Element {
  return (
    <details class="folding" open={open ?? false}>
      <summary>{summary}</summary>
      <div>{children}</div>
    </details>
  );
}
