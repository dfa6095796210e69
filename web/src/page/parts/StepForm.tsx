import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { lengthOf, type Setting, type StepKind } from "../../api/schema";
import type { Step, Value } from "../../api/types";
import { named, words } from "../../strings";
import { useApp } from "../app";
import { Select, Slider, Switch } from "./controls";
import { Chooser } from "./files";

interface SettingProps {
  readonly setting: Setting;
  readonly value: Value | undefined;
  readonly onChange: (value: Value) => void;
}

interface StepProps {
  readonly kind: StepKind;
  readonly step: Step;
  readonly onChange: (key: string, value: Value) => void;
}

/** The settings of a step, each with the control that its schema asks for. */
export function StepForm({ kind, step, onChange }: StepProps): JSX.Element | null {
  if (kind.settings.length === 0) return null;
  return (
    <div class="settings">
      {kind.settings.map((setting) => (
        <SettingField
          key={setting.name}
          setting={setting}
          value={step[setting.name]}
          onChange={(value) => onChange(setting.name, value)}
        />
      ))}
    </div>
  );
}

/** The control of a setting, by its kind. */
export function SettingField(props: SettingProps): JSX.Element {
  const { setting, value = setting.default ?? "", onChange } = props;
  const { control } = setting;
  const t = words.value;
  const label = named(t.settings, setting.name);
  switch (control.kind) {
    case "number": {
      const { low, high, whole, unit } = control;
      return <Slider {...{ label, low, high, whole, unit }} value={Number(value)} onInput={onChange} />;
    }
    case "choice": {
      const options = control.words.map((word) => [word, named(t.words, word)] as const);
      return <Select label={label} value={String(value)} options={options} onChange={onChange} />;
    }
    case "switch":
      return <Switch label={label} on={value === true} onChange={onChange} />;
    case "length":
      return <LengthField label={label} value={value} onChange={onChange} />;
    case "color":
      return <ColorField label={label} value={String(value)} onChange={onChange} />;
    case "picture":
      return <PictureField label={label} onChange={onChange} />;
    case "model":
      return <ModelField label={label} of={control.of} value={String(value)} onChange={onChange} />;
    case "text":
      return <TextField label={label} value={String(value)} onChange={onChange} />;
  }
}

interface FieldProps<T> {
  readonly label: string;
  readonly value: T;
  readonly onChange: (value: string) => void;
}

/** Pixels or a share of the subject. */
function LengthField({ label, value, onChange }: FieldProps<Value>): JSX.Element {
  const { number, unit } = lengthOf(value);
  const most = unit === "%" ? 100 : 500;
  return (
    <div class="length">
      <Slider {...{ label, unit }} value={number} low={0} high={most} onInput={(next) => onChange(`${next}${unit}`)} />
      <Select
        label={`${label}: ${words.value.unit}`}
        hideLabel
        value={unit}
        options={[["%", "%"], ["px", "px"]]} // prettier-ignore
        onChange={(next) => onChange(`${number}${next}`)}
      />
    </div>
  );
}

/** Any colour that the server reads; the small field shows and chooses opaque ones. */
export function ColorField({ label, value, onChange }: FieldProps<string>): JSX.Element {
  const id = useId();
  const opaque = /^#[0-9a-f]{6}/i.exec(value)?.[0] ?? "#ffffff";
  return (
    <div class="field color">
      <label for={id}>{label}</label>
      <input type="color" aria-label={label} value={opaque} onInput={(event) => onChange(event.currentTarget.value)} />
      <input
        id={id}
        type="text"
        dir="ltr"
        spellcheck={false}
        value={value}
        pattern="#?[0-9a-fA-F]{3,8}|[a-zA-Z]{3,20}"
        onChange={(event) => {
          const { value: given, validity } = event.currentTarget;
          if (given && validity.valid) onChange(given);
        }}
      />
    </div>
  );
}

function PictureField({ label, onChange }: Omit<FieldProps<string>, "value">): JSX.Element {
  const { bench } = useApp();
  return (
    <div class="field">
      <span>{label}</span>
      <Chooser onFiles={([file]) => file && onChange(bench.works.keepAsset(file))}>
        {words.value.panel.choosePicture}
      </Chooser>
    </div>
  );
}

function ModelField({ label, of, value, onChange }: FieldProps<string> & { readonly of: string }): JSX.Element {
  const models = useApp().bench.works.place.value?.models ?? [];
  const names = new Set([value, ...models.filter(({ kind }) => kind === of).map(({ name }) => name)]);
  const options = [...names].filter(Boolean).map((name) => [name, name] as const);
  return <Select label={label} value={value} options={options} onChange={onChange} />;
}

function TextField({ label, value, onChange }: FieldProps<string>): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} type="text" value={value} onChange={(event) => onChange(event.currentTarget.value)} />
    </div>
  );
}
