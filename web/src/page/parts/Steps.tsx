import type { JSX } from "preact";
import type { StepKind } from "../../api/schema";
import { stepOf } from "../../api/schema";
import type { Entry } from "../../queue/entry";
import { found, withSetting, withStep, without, type Field } from "../../queue/recipes";
import { named, words } from "../../strings";
import { useApp } from "../app";
import { Switch } from "./controls";
import { StepForm } from "./StepForm";

interface StepsProps {
  readonly entry: Entry;
  readonly field: Field;
  readonly kinds: readonly StepKind[];
}

/** Steps as switches, each with its settings while it is on; all of it is read off what the server says of itself. */
export function Steps({ entry, field, kinds }: StepsProps): JSX.Element {
  return (
    <ul class="steps">
      {kinds.map((kind) => (
        <li key={kind.name}>
          <OneStep entry={entry} field={field} kind={kind} />
        </li>
      ))}
    </ul>
  );
}

interface OneStepProps {
  readonly entry: Entry;
  readonly field: Field;
  readonly kind: StepKind;
  readonly label?: string;
}

/** What a step needs that has no default, when it is switched on. */
const FIRST: Readonly<Record<string, Readonly<Record<string, number>>>> = { fit: { width: 1080, height: 1080 } };

export function OneStep({ entry, field, kind, label }: OneStepProps): JSX.Element {
  const { bench } = useApp();
  const recipe = entry.history.value.now;
  const step = found(recipe, field, kind.name);
  const t = words.value;
  return (
    <div class="step">
      <Switch
        label={label ?? named(t.steps, kind.name)}
        on={step !== undefined}
        onChange={(on) =>
          bench.change(
            entry,
            on ? withStep(recipe, field, stepOf(kind, FIRST[kind.name])) : without(recipe, field, [kind.name]),
          )
        }
      />
      {step && t.language === "English" && <p class="about">{kind.description}</p>}
      {step && (
        <StepForm
          kind={kind}
          step={step}
          onChange={(key, value) =>
            bench.change(entry, withSetting(recipe, field, kind.name, key, value), `${kind.name}.${key}`)
          }
        />
      )}
    </div>
  );
}
